// Device to gateway: report, info, backlog and event frames. A decoder answers with a value or a fault, never an exception.
import { type Backlog, decodeBacklog } from "./backlog.ts";
import { type BitReader, createBitReader, createBitWriter } from "./bits.ts";
import {
  bitsOf,
  GROUPS,
  type Group,
  PHASE,
  putField,
  putFields,
  type Quantity,
  takeField,
  takeFields,
  whole,
  word,
} from "./fields.ts";
import {
  type DecodeFault,
  FRAME_BYTES_MAX,
  HEADER_BYTES,
  type Header,
  KIND_BACKLOG,
  KIND_EVENT,
  KIND_INFO,
  KIND_REPORT,
  putHeader,
  takeHeader,
  VERSION,
} from "./header.ts";

/** Values are numbers in the unit of the name, or a word: an enumeration's, or the reason why there is no number. */
export interface Report extends Header {
  readonly phase: string;
  readonly power?: {
    readonly fuelLevelPct: Quantity;
    readonly generator: string;
    readonly mains: string;
    readonly loadKw: Quantity;
    readonly starterBatteryV: Quantity;
  };
  readonly battery?: { readonly batteryV: Quantity; readonly batteryA: Quantity; readonly stateOfChargePct: Quantity };
  readonly occupancy?: { readonly occupancy: Quantity; readonly entries: Quantity };
  readonly environment?: { readonly temperatureC: Quantity };
  readonly supplies?: { readonly [name: string]: Quantity };
}

export interface Info extends Header {
  /** major.minor.patch, each 0..255. */
  readonly firmwareVersion: string;
  readonly configHash: number;
  readonly bootCount: number;
  readonly resetCause: string;
  readonly reportIntervalS: number;
  /** Code of BOARDS. */
  readonly board: number;
  /** Bit set of SENSORS. */
  readonly sensors: number;
  readonly storageUsedPct: number;
  readonly memoryFreePct: number;
  readonly faultCount: number;
}

export interface EventFrame extends Header {
  readonly event: string;
  readonly argument: number;
}

export type Uplink =
  | { readonly kind: "report"; readonly value: Report }
  | { readonly kind: "info"; readonly value: Info }
  | { readonly kind: "backlog"; readonly value: Backlog }
  | { readonly kind: "event"; readonly value: EventFrame };

/** `header` is there when version and length let it be read: such a frame has an identity although it is not understood. */
export interface UplinkFault {
  readonly kind: "fault";
  readonly fault: DecodeFault;
  readonly header?: Header;
}

export const RESET_CAUSES = ["unknown", "power-on", "watchdog", "software", "brown-out", "update"] as const;

/** Index is the code on the wire; 0 is not an event. */
export const EVENTS = [
  "",
  "mains-lost",
  "mains-restored",
  "generator-started",
  "generator-stopped",
  "generator-failed",
  "refuelled",
  "fuel-drop",
  "tamper",
  "help-requested",
  "phase-changed",
  "recount",
  "sensor-fault",
  "sensor-restored",
  "battery-low",
  "over-capacity",
  "downlink-applied",
  "downlink-refused",
] as const;

const VERSION_FIELDS = [whole("major", 8), whole("minor", 8), whole("patch", 8)];
export const INFO_FIELDS = [
  whole("configHash", 32),
  whole("bootCount", 16),
  word("resetCause", 8, RESET_CAUSES, 0),
  whole("reportIntervalS", 16),
  whole("board", 8),
  whole("sensors", 16),
  whole("storageUsedPct", 8),
  whole("memoryFreePct", 8),
  whole("faultCount", 16),
];
const EVENT_FIELDS = [word("event", 8, EVENTS, 0), whole("argument", 16)];

type Values = Record<string, unknown>;

/** At most 26 bytes: header, phase, groups, and the five groups. */
export function encodeReport(report: Report): Uint8Array {
  const values = report as unknown as Record<string, Values | undefined>;
  const out = createBitWriter(FRAME_BYTES_MAX);
  putHeader(out, KIND_REPORT, report);
  putField(out, PHASE, report.phase);
  let groups = 0;
  for (let i = 0; i < GROUPS.length; i++) if (values[(GROUPS[i] as Group).name] !== undefined) groups |= 1 << i;
  out.put(groups, 8);
  for (let i = 0; i < GROUPS.length; i++) {
    const group = GROUPS[i] as Group;
    const part = values[group.name];
    if (part !== undefined) putFields(out, group.fields, part);
  }
  return out.bytes();
}

/** 27 bytes. */
export function encodeInfo(info: Info): Uint8Array {
  const out = createBitWriter(27);
  putHeader(out, KIND_INFO, info);
  const parts = info.firmwareVersion.split(".");
  putFields(out, VERSION_FIELDS, { major: Number(parts[0]), minor: Number(parts[1]), patch: Number(parts[2]) });
  putFields(out, INFO_FIELDS, info as unknown as Values);
  return out.bytes();
}

/** 11 bytes. */
export function encodeEvent(event: EventFrame): Uint8Array {
  const out = createBitWriter(11);
  putHeader(out, KIND_EVENT, event);
  putFields(out, EVENT_FIELDS, event as unknown as Values);
  return out.bytes();
}

/** Values as they come out of the frame: a sample is quantised once, before it is stored anywhere. */
export function quantizeReport(report: Report): Report {
  return (decodeUplink(encodeReport(report)) as { value: Report }).value;
}

export function decodeUplink(bytes: Uint8Array): Uplink | UplinkFault {
  if (bytes.length === 0) return { kind: "fault", fault: "truncated" };
  const first = bytes[0] as number;
  if (first >> 4 !== VERSION) return { kind: "fault", fault: "unsupported-version" };
  const kind = first & 15;
  const known = kind >= KIND_REPORT && kind <= KIND_EVENT;
  if (bytes.length < HEADER_BYTES) return { kind: "fault", fault: known ? "truncated" : "unknown-kind" };
  const input = createBitReader(bytes, 1);
  const value: Values = {};
  takeHeader(input, value);
  if (kind === KIND_BACKLOG) {
    const backlog = decodeBacklog(bytes);
    if (typeof backlog === "string") return { kind: "fault", fault: backlog, header: value as unknown as Header };
    return { kind: "backlog", value: backlog };
  }
  const fault = known ? takeBody(kind, bytes.length, input, value) : "unknown-kind";
  if (fault !== undefined) return { kind: "fault", fault: fault, header: value as unknown as Header };
  const name = kind === KIND_REPORT ? "report" : kind === KIND_INFO ? "info" : "event";
  return { kind: name, value: value } as unknown as Uplink;
}

function takeBody(kind: number, size: number, input: BitReader, value: Values): DecodeFault | undefined {
  if (kind === KIND_REPORT) return takeReport(size, input, value);
  const need = kind === KIND_INFO ? 27 : 11;
  if (size < need) return "truncated";
  if (size > need) return "trailing-bytes";
  if (kind === KIND_EVENT) {
    takeFields(input, EVENT_FIELDS, value);
    return undefined;
  }
  const version: Values = {};
  takeFields(input, VERSION_FIELDS, version);
  value["firmwareVersion"] = `${version["major"]}.${version["minor"]}.${version["patch"]}`;
  takeFields(input, INFO_FIELDS, value);
  return undefined;
}

function takeReport(size: number, input: BitReader, value: Values): DecodeFault | undefined {
  if (size < HEADER_BYTES + 2) return "truncated";
  value["phase"] = takeField(input, PHASE);
  const groups = input.take(8);
  let bits = 12;
  for (let i = 0; i < GROUPS.length; i++) if (groups & (1 << i)) bits += bitsOf((GROUPS[i] as Group).fields);
  const need = HEADER_BYTES + ((bits + 7) >> 3);
  if (size < need) return "truncated";
  if (groups >> GROUPS.length !== 0) return "unsupported-group";
  if (size > need) return "trailing-bytes";
  for (let i = 0; i < GROUPS.length; i++) {
    if (!(groups & (1 << i))) continue;
    const group = GROUPS[i] as Group;
    const part: Values = {};
    takeFields(input, group.fields, part);
    value[group.name] = part;
  }
  return input.padding() === 0 ? undefined : "nonzero-padding";
}
