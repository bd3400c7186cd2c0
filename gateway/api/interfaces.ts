// What the API needs of others, in the smallest shape that serves it.
import type { Static } from "typebox";
import type {
  AlarmMetrics,
  Alert,
  CallList,
  DeviceDownlink,
  DeviceState,
  Entry,
  GatewayState,
  GivenKeys,
  HelpRequest,
  IssuedKeys,
  LorawanDeviceState,
  LorawanImport,
  LorawanStation,
  Mute,
  NewDownlink,
  NewEntry,
  NewHelpRequest,
  NewLorawanDevice,
  NewLorawanReplacement,
  NewMute,
  NewRequestStep,
  Notices,
  Overview,
  PhaseChange,
  PointHistory,
  PointState,
  ProfileSchema,
  Refusals,
  Registry,
  Role,
} from "../../protocol/index.ts";

export interface EngineNews {
  readonly points: readonly PointState[];
  /** Points that are none any more. */
  readonly gone?: readonly string[];
  /** State "normal" is a closed alert. */
  readonly alerts: readonly Alert[];
  readonly requests?: readonly HelpRequest[];
  readonly gateway?: GatewayState;
}

/** Who does it, and from where. */
export interface ApiDoer {
  readonly by: string;
  readonly origin: string;
}

export interface ApiRequests {
  list(): readonly HelpRequest[];
  get(requestId: string): HelpRequest | undefined;
  /** Rejects with POINT_UNKNOWN, ASK_INVALID, REQUESTS_FULL, JOURNAL_UNUSABLE. */
  ask(pointId: string, asked: NewHelpRequest, doer: ApiDoer): Promise<HelpRequest>;
  /** Rejects with REQUEST_UNKNOWN, REQUEST_STEP_REFUSED, JOURNAL_UNUSABLE. */
  step(requestId: string, step: NewRequestStep, doer: ApiDoer): Promise<HelpRequest>;
}

/** What people do to an alert. */
export type ApiDeed =
  | { readonly kind: "acknowledge"; readonly note?: string }
  | { readonly kind: "shelve"; readonly until: string; readonly reason: string }
  | { readonly kind: "take-out"; readonly reason: string }
  | { readonly kind: "unshelve" | "reset" | "put-back" };

export interface ApiEngine {
  overview(): Overview;
  point(pointId: string): PointState | undefined;
  alert(alertId: string): Alert | undefined;
  /** What people told of a point, the newest first, from before a moment. */
  entries(pointId: string, limit: number, beforeMs: number): readonly Entry[];
  readonly requests: ApiRequests;
  alarmMetrics(): AlarmMetrics;
  devices(): readonly DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  act(alertId: string, deed: ApiDeed, doer: { readonly by: string; readonly origin: string }): Promise<Alert>;
  onChange(listener: (news: EngineNews) => void): () => void;
}

export interface ApiEntries {
  /**
   * Resolves with the point as it is then, when it is on disk. Rejects with POINT_UNKNOWN, ENTRY_INVALID, JOURNAL_UNUSABLE,
   * JOURNAL_BUSY, JOURNAL_CLOSED.
   */
  tell(pointId: string, asked: NewEntry, by: string): Promise<PointState>;
}

export interface ApiDownlinks {
  /** What waits for a device, the oldest first, and then what is over, the newest first. Throws DEVICE_UNKNOWN. */
  list(deviceId: string): readonly DeviceDownlink[];
  /** Resolves when it is kept. Rejects with DEVICE_UNKNOWN, DOWNLINK_INVALID, DOWNLINKS_FULL, JOURNAL_UNUSABLE. */
  ask(deviceId: string, asked: NewDownlink, doer: ApiDoer): Promise<DeviceDownlink>;
  /** Takes back what waits, and gives it as it is then. Rejects with DEVICE_UNKNOWN, DOWNLINK_UNKNOWN, JOURNAL_UNUSABLE. */
  withdraw(deviceId: string, downlinkId: string, doer: ApiDoer): Promise<DeviceDownlink>;
}

/** Who does it, and from where. */
export interface ApiDoer {
  readonly by: string;
  readonly origin: string;
}

/** Each rejects with DEVICE_UNKNOWN, FILE_UNREADABLE, FILE_UNWRITABLE, REGISTRY_INVALID, and what stands beside it. */
export interface ApiLorawan {
  devices(): readonly LorawanDeviceState[];
  stations(): readonly LorawanStation[];
  /** DEVICE_EXISTS, LORAWAN_KEY_REFUSED. */
  add(asked: NewLorawanDevice, doer: ApiDoer): Promise<IssuedKeys>;
  /** DEVICE_EXISTS, LORAWAN_KEY_REFUSED. */
  replace(deviceId: string, by: NewLorawanReplacement, doer: ApiDoer): Promise<IssuedKeys>;
  /** LORAWAN_KEY_REFUSED. */
  rekey(deviceId: string, keys: GivenKeys | undefined, doer: ApiDoer): Promise<IssuedKeys>;
  disable(deviceId: string, isDisabled: boolean, doer: ApiDoer): Promise<LorawanDeviceState>;
  /** LORAWAN_OFF, JOURNAL_UNUSABLE. */
  flushNonces(deviceId: string, doer: ApiDoer): Promise<void>;
  /** LORAWAN_OFF, JOURNAL_UNUSABLE. */
  forgetSession(deviceId: string, doer: ApiDoer): Promise<void>;
  /** What was just issued as an SVG to print. */
  label(issued: IssuedKeys): string;
  /** Bodies of ChirpStack's API, without keys. */
  exportAll(
    target: { readonly applicationId: string; readonly deviceProfileId: string },
    doer: ApiDoer,
  ): Promise<readonly object[]>;
  /** IMPORT_INVALID. */
  importAll(bodies: readonly unknown[], isDryRun: boolean, doer: ApiDoer): Promise<LorawanImport>;
}

export interface ApiNotices {
  /** The newest first. */
  list(limit: number): Notices;
  callList(language: "nl" | "en"): CallList;
  /** Rejects with RECIPIENT_UNKNOWN, MUTE_INVALID, JOURNAL_UNUSABLE. */
  mute(ask: NewMute, by: string): Promise<Mute>;
  /** Rejects with RECIPIENT_UNKNOWN, JOURNAL_UNUSABLE. */
  unmute(recipientId: string, by: string): Promise<void>;
}

export interface ApiRegistry {
  /** What is in force. */
  whole(): Registry;
  /** Puts another one in force, on disk and in the engine. Throws FILE_UNWRITABLE, FILE_UNREADABLE. */
  save(registry: Registry): void;
  profile(): Static<typeof ProfileSchema>;
}

export interface ApiPeople {
  verify(name: string, password: string): Promise<{ readonly name: string; readonly role: Role } | undefined>;
  /** What a person may do now; `credential` is no secret and changes with the password. Undefined for who has left. */
  standing(name: string): { readonly role: Role; readonly credential: string } | undefined;
}

export interface ApiRefusals {
  list(): Refusals;
}

/** A part of the past, milliseconds since 1970: from (included) to (excluded). */
export interface ApiRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What history tells; each may reject with HISTORY_UNUSABLE or HISTORY_BUSY. */
export interface ApiHistory {
  hasPoint(pointId: string): boolean;
  hasDevice(deviceId: string): boolean;
  /** Of all devices that the registry puts at the point, each for its time there. */
  series(
    pointId: string,
    request: ApiRange & { readonly points: number; readonly fields: readonly string[] | undefined },
  ): Promise<{
    readonly fromMs: number;
    readonly stepMs: number;
    readonly steps: number;
    readonly resolution: PointHistory["resolution"];
    readonly damaged: number;
    readonly series: readonly ApiFieldSeries[];
  }>;
  samples(
    deviceId: string,
    request: ApiRange & { readonly limit: number; readonly after: ApiPlace | undefined },
  ): Promise<{
    readonly rows: readonly ApiRow[];
    readonly next: ApiPlace | undefined;
    readonly damaged: number;
  }>;
  /** The newest first, from before an act of the log. Of the journal: rejects with JOURNAL_UNUSABLE. */
  phases(
    pointId: string,
    limit: number,
    beforeId: number | undefined,
  ): Promise<{ readonly changes: readonly PhaseChange[]; readonly next: number | undefined }>;
}

export interface ApiPlace {
  readonly placedMs: number;
  readonly id: number;
}

type Frozen<T> = { readonly [K in keyof T]: T[K] extends (infer E)[] | undefined ? readonly E[] : T[K] };
export type ApiFieldSeries = Frozen<PointHistory["series"][number]>;

/** A stored row, as the journal had it. */
export interface ApiRow {
  /** Extended to 32 bits. */
  readonly sequence: number;
  readonly receivedMs: number;
  readonly timeMs: number;
  readonly timeQuality: "synced" | "estimated" | "suspect";
  readonly link: "mqtt" | "lorawan";
  readonly frame: Uint8Array;
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
