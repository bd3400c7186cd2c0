// What the API needs of others, in the smallest shape that serves it.
import type { Alert, DeviceState, GatewayState, Overview, PointState, Refusals, Role } from "../../protocol/index.ts";

export interface EngineNews {
  readonly points: readonly PointState[];
  /** State "normal" is a closed alert. */
  readonly alerts: readonly Alert[];
  readonly gateway?: GatewayState;
}

export interface ApiEngine {
  overview(): Overview;
  point(pointId: string): PointState | undefined;
  alert(alertId: string): Alert | undefined;
  devices(): readonly DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  acknowledge(
    alertId: string,
    act: { readonly by: string; readonly note?: string; readonly origin: string },
  ): Promise<Alert>;
  onChange(listener: (news: EngineNews) => void): () => void;
}

export interface ApiPeople {
  verify(name: string, password: string): Promise<{ readonly name: string; readonly role: Role } | undefined>;
  /** What a person may do now; `credential` is no secret and changes with the password. Undefined for who has left. */
  standing(name: string): { readonly role: Role; readonly credential: string } | undefined;
}

export interface ApiRefusals {
  list(): Refusals;
}

/** One row of the log of acts (BIO2 8.15.01). */
export interface ApiAct {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly origin: string;
  readonly detail: string;
}

/** Where sessions outlive a restart and acts are written down: the journal's documents and log. */
export interface ApiJournal {
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  save(change: {
    readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
    readonly remove?: readonly { readonly kind: string; readonly key: string }[];
    readonly acts?: readonly ApiAct[];
  }): Promise<void>;
}

export type ApiLog = (event: string, detail: Readonly<Record<string, string | number>>) => void;
