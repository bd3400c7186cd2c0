// What an operator sees of a device in the network.
import type { Eui, Reception } from "../interfaces.ts";
import { type Held, tagOf } from "./devices.ts";
import type { Identity } from "./identities.ts";
import { NONCES_MAX } from "./nonces.ts";

export interface DeviceStatus {
  readonly devEui: Eui;
  readonly deviceId: string;
  readonly activation: "join" | "personalised";
  /** `joining`: it was answered, and has not spoken since. */
  readonly state: "disabled" | "never-seen" | "joining" | "active" | "key-changed";
  readonly session?: string | undefined;
  readonly devAddr?: string | undefined;
  /** Wall time of its last frame. */
  readonly lastHeardMs?: number | undefined;
  /** The last ones; undefined before the first. */
  readonly counterUp?: number | undefined;
  readonly counterDown?: number | undefined;
  readonly dataRate?: number | undefined;
  /** How its last frame was heard since the start, the best first. */
  readonly receptions: readonly Reception[];
  readonly downlinks: readonly {
    readonly id: string;
    readonly port: number;
    readonly bytes: number;
    readonly expiresMs: number;
  }[];
  readonly nonces: { readonly used: number; readonly max: number };
}

export function statusOf(identity: Identity, held: Held | undefined, nowMs: number): DeviceStatus {
  const { devEui, deviceId, abp, isEnabled } = identity;
  const { current, waiting } = held?.state ?? { current: undefined, waiting: [] };
  const tag = tagOf(identity);
  const isOld = current !== undefined && current.keyTag !== tag && waiting.every(({ keyTag }) => keyTag !== tag);
  const state =
    current !== undefined ? (isOld ? "key-changed" : "active") : waiting.length > 0 ? "joining" : "never-seen";
  const last = (next: number | undefined) => (next === undefined || next === 0 ? undefined : next - 1);
  const items = held?.queue.items.filter(({ expiresMs }) => expiresMs > nowMs) ?? [];
  return {
    devEui,
    deviceId,
    activation: abp === undefined ? "join" : "personalised",
    state: isEnabled ? state : "disabled",
    session: current?.id,
    devAddr: current?.devAddr,
    lastHeardMs: current?.heardMs,
    counterUp: last(current?.nextUp),
    counterDown: last(current?.nextDown),
    dataRate: held?.dataRate,
    receptions: held?.receptions ?? [],
    downlinks: items.map(({ id, port, payload, expiresMs }) => ({ id, port, bytes: payload.length / 2, expiresMs })),
    nonces: { used: held?.nonces?.used.length ?? 0, max: NONCES_MAX },
  };
}
