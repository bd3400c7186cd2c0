// Notification, put together: recipients and channels of the configuration, the outbox, and what the gateway says of it.
import { randomInt } from "node:crypto";
import type { GatewayConfig, Notices, NotifyPlan, NotifyState } from "../../protocol/index.ts";
import type { Place } from "../domain/notify/recipients.ts";
import { GatewayError } from "../errors.ts";
import type { Commands } from "../ingress/commands.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { createAudibleCarrier } from "../notify/audible.ts";
import { ownCarriers, planOf, usedCarriers } from "../notify/carriers.ts";
import type { Carriers } from "../notify/channel.ts";
import { createMqttCarrier } from "../notify/mqtt.ts";
import { type Outbox, type OutboxSetup, openOutbox } from "../notify/outbox.ts";
import { registryView } from "../registry/view.ts";
import type { Parts } from "./parts.ts";

const NOBODY: OutboxSetup = { plan: { recipients: [] }, carriers: {} };
/** A device that was off for longer need not sound for what is long over. */
const SOUND_MS = 600_000;

export interface Notify {
  readonly outbox: Outbox;
  plan(): NotifyPlan;
  state(): NotifyState | undefined;
  list(limit: number): Notices;
  /** Reads the recipients of another configuration; gives what puts them in force. Throws, and changes nothing. */
  prepare(config: GatewayConfig): () => void;
  stop(): Promise<void>;
}

export interface NotifyWays {
  readonly ingress: Pick<MqttIngress, "publish">;
  readonly commands: Pick<Commands, "ask">;
  /** Why the recipients are not in force. */
  setProblem(problem: string): void;
}

/** Begins to tell people. A file of recipients with a mistake is told of, and does not keep the gateway from running. */
export async function startNotify(parts: Parts, ways: NotifyWays): Promise<Notify> {
  const { config, clock, engine, journal, logs } = parts;
  const log = logs.area("notify");
  let setup = NOBODY;
  try {
    setup = setupOf(config, parts, ways);
  } catch (error) {
    const problem = problemOf(error);
    log.error("the recipients cannot be used: nobody is told of alerts", { problem });
    ways.setProblem(problem);
  }
  const outbox = await openOutbox(
    {
      journal,
      clock,
      alerts: () => engine.alerts(),
      placeOf: createPlaces(parts),
      random: () => randomInt(1_000_000) / 1_000_000,
      log: log.info,
    },
    setup,
  );
  await outbox.start();
  const unsubscribe = engine.onChange(({ alerts }) => {
    if (alerts.length > 0) outbox.wake();
  });
  return {
    outbox,
    plan: () => setup.plan,
    state: () => (setup.plan.recipients.length === 0 ? undefined : outbox.state()),
    list: (limit) => outbox.list(limit),
    prepare: (next) => {
      const made = setupOf(next, parts, ways);
      return () => {
        setup = made;
        outbox.use(made);
      };
    },
    stop: () => {
      unsubscribe();
      return outbox.stop();
    },
  };
}

/** Throws FILE_UNREADABLE, CONFIG_INVALID. */
function setupOf(config: GatewayConfig, { clock, engine }: Parts, { ingress, commands }: NotifyWays): OutboxSetup {
  const plan = planOf(config);
  const all: Carriers = {
    ...ownCarriers(config, clock),
    mqtt: createMqttCarrier({ publish: ingress.publish }),
    audible: createAudibleCarrier({
      sound: async (deviceId, seconds) => {
        if (engine.device(deviceId) === undefined) return "unknown";
        const expiresMs = clock.nowMs() + SOUND_MS;
        const refused = await commands.ask([{ deviceId, command: "locate", argument: seconds, expiresMs }]);
        return refused.length === 0 ? "taken" : "full";
      },
    }),
  };
  return { plan, carriers: usedCarriers(all, plan) };
}

function problemOf(error: unknown): string {
  if (!(error instanceof GatewayError)) return error instanceof Error ? error.message : String(error);
  const { problems, path = "" } = error.detail;
  return `${String(path)}: ${Array.isArray(problems) ? String(problems[0]) : error.message}`;
}

/** Points by id, looked up anew when the registry is another one or a period begins. */
export function createPlaces({ store, clock }: Pick<Parts, "store" | "clock">): (pointId: string) => Place | undefined {
  let known:
    | { readonly registry: unknown; readonly untilMs: number; readonly places: ReadonlyMap<string, Place> }
    | undefined;
  return (pointId) => {
    const registry = store.registry();
    const nowMs = clock.nowMs();
    if (known === undefined || known.registry !== registry || nowMs >= known.untilMs) {
      const view = registryView(registry);
      const addresses = new Map(registry.points.map((one) => [one.pointId, one.connection?.deliveryAddress]));
      const places = view.points(nowMs).map(({ pointId: id, name, municipality, region }) => {
        const address = addresses.get(id);
        return [id, { name, municipality, region, ...(address === undefined ? {} : { address }) }] as const;
      });
      known = { registry, untilMs: view.nextChangeMs(nowMs), places: new Map(places) };
    }
    return known.places.get(pointId);
  };
}
