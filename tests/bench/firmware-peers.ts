// Other ways to send a history, each with its real overhead: 72 hours of a whole point in frames of the sizes of LoRaWAN.
import { encode as toCbor } from "cborg";
import protobuf from "protobufjs";
import {
  BACKLOG_HEADER_BYTES,
  backlogRowOf,
  createBacklogEncoder,
  decodeUplink,
  encodeReport,
  GENERATOR_STATES,
  MAINS_STATES,
  PHASES,
  type Quantity,
  quantizeReport,
  type Report,
} from "../../protocol/index.ts";
import type { Trace } from "./firmware-traces.ts";

/** Lengths of the frames that carry a trace. */
export type Packer = (trace: Trace, bytesMax: number) => readonly number[];

/** Frames are sent after the trace, one a minute. */
const SEND_EVERY_S = 60;

function headOf(trace: Trace, frame: number, groups: number): Uint8Array {
  const last = trace.reports.at(-1) as Report;
  const head = new Uint8Array(BACKLOG_HEADER_BYTES);
  const view = new DataView(head.buffer);
  view.setUint8(0, 0x13);
  view.setUint16(1, (last.sequence + 1 + frame) & 65535);
  view.setUint32(3, last.time + SEND_EVERY_S * (frame + 1));
  view.setUint8(7, 0x80);
  view.setUint8(8, 7);
  view.setUint8(10, groups);
  return head;
}

function checkLossless(frame: Uint8Array, samples: readonly Uint8Array[]): void {
  const decoded = decodeUplink(frame);
  const isSame =
    decoded.kind === "backlog" &&
    decoded.value.reports.length === samples.length &&
    decoded.value.reports.every((one, i) => Buffer.compare(one, samples[i] as Uint8Array) === 0);
  if (!isSame) throw new Error(`a backlog frame of ${samples.length} samples came out as something else`);
}

/** Our backlog frames, header counted, each decoded again and compared byte for byte. */
export const packWaakvlam: Packer = (trace, bytesMax) => {
  const samples = trace.reports.map(encodeReport);
  const first = samples[0] as Uint8Array;
  const groups = (((first[8] as number) & 15) << 4) | ((first[9] as number) >> 4);
  const encoder = createBacklogEncoder(backlogRowOf(groups), bytesMax);
  const sizes: number[] = [];
  for (let at = 0; at < samples.length; ) {
    encoder.start(headOf(trace, sizes.length, groups), bytesMax, trace.intervalS);
    const from = at;
    while (at < samples.length && encoder.add(samples[at] as Uint8Array)) at++;
    if (at === from) throw new Error(`a sample does not go into ${bytesMax} bytes`);
    const frame = encoder.finish();
    checkLossless(frame, samples.slice(from, at));
    sizes.push(frame.length);
  }
  return sizes;
};

/** As many whole records as fit behind what a frame begins with. */
function packRecords(sizes: readonly number[], bytesMax: number, headBytes: number): number[] {
  const frames: number[] = [];
  let bytes = headBytes;
  for (const size of sizes) {
    if (headBytes + size > bytesMax) throw new Error(`a record of ${size} bytes does not go into ${bytesMax}`);
    if (bytes + size > bytesMax) {
      frames.push(bytes);
      bytes = headBytes;
    }
    bytes += size;
  }
  return bytes > headBytes ? [...frames, bytes] : frames;
}

function scaled(value: Quantity | undefined, perUnit: number): number {
  return typeof value === "number" ? Math.round(value * perUnit) : -1;
}

/** A report as whole numbers: what our own frame keeps, at its own resolution. */
function numbersOf(given: Report): readonly number[] {
  const { sequence, time, flags, phase, power, battery, occupancy, environment } = quantizeReport(given);
  return [
    sequence,
    time,
    (flags.clockSynced === true ? 1 : 0) | (flags.localAlarm === true ? 2 : 0),
    PHASES.indexOf(phase as never),
    scaled(power?.fuelLevelPct, 10),
    GENERATOR_STATES.indexOf(power?.generator as never),
    MAINS_STATES.indexOf(power?.mains as never),
    scaled(power?.loadKw, 10),
    scaled(power?.starterBatteryV, 10),
    scaled(battery?.batteryV, 100),
    scaled(battery?.batteryA, 10),
    scaled(battery?.stateOfChargePct, 2),
    scaled(occupancy?.occupancy, 1),
    scaled(occupancy?.entries, 1),
    scaled(environment?.temperatureC, 2),
  ];
}

// Cayenne LPP: channel, type, value big-endian; types 0, 2, 101, 103, 116 and the extension 133, Unix time. Analogue values have
// two decimals and 16 bits, so counts go as luminosity. No sequence: the time tells one record from another.
const LPP_TIME_BYTES = 6;
const DIGITAL = { type: 0, bytes: 1 };
const ANALOG = { type: 2, bytes: 2 };
const LUMINOSITY = { type: 101, bytes: 2 };
const TEMPERATURE = { type: 103, bytes: 2 };
const VOLTAGE = { type: 116, bytes: 2 };

function lppRecord(given: Report): Buffer[] {
  const [
    ,
    time = 0,
    flags,
    phase,
    fuel,
    generator,
    mains,
    load,
    starter,
    volts,
    amperes,
    soc,
    people,
    entries,
    celsius,
  ] = numbersOf(given);
  const fields: readonly (readonly [{ type: number; bytes: number }, number | undefined, number])[] = [
    [DIGITAL, flags, 1],
    [DIGITAL, phase, 1],
    [ANALOG, fuel, 10],
    [DIGITAL, generator, 1],
    [DIGITAL, mains, 1],
    [ANALOG, load, 10],
    [VOLTAGE, starter, 10],
    [VOLTAGE, volts, 1],
    [ANALOG, amperes, 10],
    [ANALOG, soc, 50],
    [LUMINOSITY, people, 1],
    [LUMINOSITY, entries, 1],
    [TEMPERATURE, celsius, 5],
  ];
  const parts = fields.map(([kind, value = 0, factor], channel) => {
    const out = Buffer.alloc(2 + kind.bytes);
    out.writeUInt8(channel + 1, 0);
    out.writeUInt8(kind.type, 1);
    if (kind.bytes === 1) out.writeUInt8(value & 255, 2);
    else out.writeUInt16BE((value * factor) & 65535, 2);
    return out;
  });
  const stamp = Buffer.from([0, 133, 0, 0, 0, 0]);
  stamp.writeUInt32BE(time, 2);
  return [stamp, ...parts];
}

/** A record that is longer than a frame goes in several, each with its time. */
const packLpp: Packer = (trace, bytesMax) => {
  const records = trace.reports.map((one) => {
    const parts = lppRecord(one).map((part) => part.length);
    const whole = parts.reduce((sum, bytes) => sum + bytes, 0);
    if (whole <= bytesMax) return [whole];
    return packRecords(parts.slice(1), bytesMax, LPP_TIME_BYTES);
  });
  if (records.every((one) => one.length === 1)) return packRecords(records.flat(), bytesMax, 0);
  return records.flat();
};

/** One byte in front says how many records follow; from 24 on it is two, and so many never fit. */
const CBOR_HEAD_BYTES = 1;
const packCborArray: Packer = (trace, bytesMax) =>
  packRecords(
    trace.reports.map((one) => toCbor(numbersOf(one)).length),
    bytesMax,
    CBOR_HEAD_BYTES,
  );
const packCborMap: Packer = (trace, bytesMax) =>
  packRecords(
    trace.reports.map((one) => toCbor(new Map(numbersOf(one).map((value, key) => [key, value]))).length),
    bytesMax,
    CBOR_HEAD_BYTES,
  );

const SIGNED = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const FIELDS = Object.fromEntries(
  Array.from({ length: 15 }, (_, i) => {
    const type = i === 1 ? "fixed32" : SIGNED.includes(i) ? "sint32" : "uint32";
    return [`f${i}`, { type, id: i + 1 }];
  }),
);
const SAMPLE = protobuf.Root.fromJSON({ nested: { Sample: { fields: FIELDS } } }).lookupType("Sample");

/** `repeated Sample`: a tag and a length in front of each. */
const packProtobuf: Packer = (trace, bytesMax) =>
  packRecords(
    trace.reports.map((one) => {
      const values = Object.fromEntries(numbersOf(one).map((value, i) => [`f${i}`, value]));
      return 2 + SAMPLE.encode(values).finish().length;
    }),
    bytesMax,
    0,
  );

// Dragino's data log: three 16-bit values, a byte of flags, Unix time, nothing around them.
const LOG_RECORD_BYTES = 11;
/** Nine values of a whole point, its words in the flags. */
const LOG_RECORDS_WHOLE = 3;

const logOf =
  (records: number): Packer =>
  (trace, bytesMax) =>
    packRecords(
      trace.reports.flatMap(() => Array.from({ length: records }, () => LOG_RECORD_BYTES)),
      bytesMax,
      0,
    );

export interface Subject {
  readonly name: string;
  readonly pack: Packer;
}

export const SUBJECTS: readonly Subject[] = [
  { name: "waakvlam", pack: packWaakvlam },
  { name: "cayenne-lpp", pack: packLpp },
  { name: "cbor", pack: packCborArray },
  { name: "cbor-map", pack: packCborMap },
  { name: "protobuf", pack: packProtobuf },
  // One record a sample: three of its values only.
  { name: "data-log-11", pack: logOf(1) },
  { name: "data-log-11-whole", pack: logOf(LOG_RECORDS_WHOLE) },
];
