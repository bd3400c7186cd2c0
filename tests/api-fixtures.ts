// A registry, notices, requests and devices for an API whose test is about something else: empty, and never written.
import type { ApiDownlinks, ApiLorawan, ApiNotices, ApiRegistry, ApiRequests } from "../gateway/api/interfaces.ts";
import { CONCEPT_2026, shownProfile } from "../gateway/domain/profile.ts";
import { EMPTY_REGISTRY } from "../gateway/registry/shape.ts";

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
