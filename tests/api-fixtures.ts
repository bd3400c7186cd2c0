// An API of which a test asks one thing: all else of it is empty, never written, and refuses.
import type { FastifyInstance } from "fastify";
import { type ApiOptions, createApi } from "../gateway/api/api.ts";
import type {
  ApiDownlinks,
  ApiEngine,
  ApiLorawan,
  ApiNotices,
  ApiRegistry,
  ApiRequests,
} from "../gateway/api/interfaces.ts";
import { CONCEPT_2026, shownProfile } from "../gateway/domain/profile.ts";
import { EMPTY_REGISTRY } from "../gateway/registry/shape.ts";
import type { Role } from "../protocol/index.ts";
import { NOON_MS } from "./fixtures.ts";
import { virtualClock } from "./virtual-clock.ts";

export const NO_REGISTRY: ApiRegistry = {
  whole: () => EMPTY_REGISTRY,
  save: () => {
    throw new Error("this test writes no registry");
  },
  profile: () => shownProfile(CONCEPT_2026),
};

/** Nothing was asked, and nothing can be. */
export const NO_REQUESTS: ApiRequests = {
  list: () => [],
  get: () => undefined,
  ask: () => Promise.reject(new Error("this test asks for nothing")),
  step: () => Promise.reject(new Error("this test steps nothing")),
};

export const NO_NOTICES: ApiNotices = {
  list: () => ({ state: { recipients: 0, waiting: 0, undelivered: 0, channels: [] }, notices: [], mutes: [] }),
  callList: () => ({ madeAt: "2026-11-24T12:00:00.000Z", people: [], general: [], points: [] }),
  mute: () => Promise.reject(new Error("this test mutes nobody")),
  unmute: () => Promise.reject(new Error("this test mutes nobody")),
};

export const NO_DOWNLINKS: ApiDownlinks = {
  list: () => [],
  ask: () => Promise.reject(new Error("this test tells no device anything")),
  withdraw: () => Promise.reject(new Error("this test takes nothing back")),
};

const NO_ACT = () => Promise.reject(new Error("this test does nothing to LoRaWAN devices"));
export const NO_LORAWAN: ApiLorawan = {
  ...{ devices: () => [], stations: () => [], label: () => "" },
  ...{ add: NO_ACT, replace: NO_ACT, rekey: NO_ACT, disable: NO_ACT, flushNonces: NO_ACT, forgetSession: NO_ACT },
  ...{ exportAll: NO_ACT, importAll: NO_ACT },
};

const NEVER = () => Promise.reject(new Error("this test does not ask for that"));

/** Everybody signs in with any password, and is what their name makes them. */
export function peopleWith(roleOf: (name: string) => Role): ApiOptions["people"] {
  return {
    standing: (name) => ({ role: roleOf(name), credential: "1" }),
    verify: async (name) => ({ name, role: roleOf(name) }),
  };
}

/** At noon; whoever signs in looks on, unless `part` says who they are. */
export function serveApi(part: Partial<ApiOptions>): Promise<FastifyInstance> {
  return createApi({
    engine: { onChange: () => () => undefined } as unknown as ApiEngine,
    entries: { tell: NEVER },
    people: peopleWith(() => "viewer"),
    refusals: { list: () => ({ counts: {}, recent: [] }) },
    history: { hasPoint: () => false, hasDevice: () => false, series: NEVER, samples: NEVER, phases: NEVER },
    registry: NO_REGISTRY,
    notices: NO_NOTICES,
    health: {
      notReady: () => [],
      metrics: { contentType: "text/plain", text: async () => "", isRightToken: () => false },
    },
    clock: virtualClock(NOON_MS),
    version: "0",
    ...part,
  });
}

/** The cookie of a new session. */
export async function signIn(app: FastifyInstance, name: string): Promise<string> {
  const answer = await app.inject({ method: "POST", url: "/v1/session", payload: { name, password: "any" } });
  return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}
