// A whole point's report: bytes, and time to encode and to decode, beside JSON, CBOR and protobuf of the same values.
import { decode as fromCbor, encode as toCbor } from "cborg";
import protobuf from "protobufjs";
import { decodeUplink, encodeReport, type Report } from "../../protocol/index.ts";
import { wholeFlag } from "../command.ts";
import { report } from "../fixtures.ts";
import { type Bench, type BenchRow, medianOf, significant } from "./bench.ts";

const LOOPS = 20_000;
const SAMPLE: Report = report({
  battery: { batteryV: 26.43, batteryA: -18.7, stateOfChargePct: 87 },
  occupancy: { occupancy: 143, entries: 1822 },
  environment: { temperatureC: -3.5 },
});

interface Subject {
  readonly name: string;
  encode(): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

function protobufSubject(): Subject {
  const field = (type: string, id: number) => ({ type, id });
  const root = protobuf.Root.fromJSON({
    nested: {
      Power: {
        fields: {
          fuelLevelPct: field("float", 1),
          generator: field("string", 2),
          mains: field("string", 3),
          loadKw: field("float", 4),
          starterBatteryV: field("float", 5),
        },
      },
      Battery: {
        fields: { batteryV: field("float", 1), batteryA: field("float", 2), stateOfChargePct: field("float", 3) },
      },
      Occupancy: { fields: { occupancy: field("uint32", 1), entries: field("uint32", 2) } },
      Environment: { fields: { temperatureC: field("float", 1) } },
      Flags: { fields: { clockSynced: field("bool", 1) } },
      Report: {
        fields: {
          sequence: field("uint32", 1),
          time: field("uint32", 2),
          flags: field("Flags", 3),
          phase: field("string", 4),
          power: field("Power", 5),
          battery: field("Battery", 6),
          occupancy: field("Occupancy", 7),
          environment: field("Environment", 8),
        },
      },
    },
  });
  const type = root.lookupType("Report");
  return { name: "protobuf", encode: () => type.encode(SAMPLE).finish(), decode: (bytes) => type.decode(bytes) };
}

const SUBJECTS: readonly Subject[] = [
  { name: "waakvlam", encode: () => encodeReport(SAMPLE), decode: decodeUplink },
  {
    name: "json",
    encode: () => Buffer.from(JSON.stringify(SAMPLE)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  },
  { name: "cbor", encode: () => toCbor(SAMPLE), decode: (bytes) => fromCbor(bytes) },
  protobufSubject(),
];

function nanoseconds(work: () => unknown): number {
  const began = process.hrtime.bigint();
  for (let i = 0; i < LOOPS; i++) work();
  return Number(process.hrtime.bigint() - began) / LOOPS;
}

export const bench: Bench = {
  name: "codec",
  summary: "a whole point's report beside JSON, CBOR and protobuf",
  flags: { rounds: "turns of all subjects, of which the median counts (9)" },
  async run({ flags }) {
    const rounds = wholeFlag(flags, "rounds", 9);
    const times = new Map<string, number[]>();
    const note = (key: string, value: number) => times.set(key, [...(times.get(key) ?? []), value]);
    for (let round = 0; round <= rounds; round++) {
      for (const subject of SUBJECTS) {
        const bytes = subject.encode();
        const encode = nanoseconds(() => subject.encode());
        const decode = nanoseconds(() => subject.decode(bytes));
        // The first round warms up.
        if (round === 0) continue;
        note(`encode ${subject.name}`, encode);
        note(`decode ${subject.name}`, decode);
      }
    }
    const rows: BenchRow[] = [];
    const ours = (key: string) => medianOf(times.get(`${key} waakvlam`) ?? []);
    for (const subject of SUBJECTS) {
      const bytes = subject.encode().length;
      const ratio = significant(bytes / encodeReport(SAMPLE).length);
      rows.push({ case: "bytes-per-report", subject: subject.name, value: bytes, unit: "B", ratio });
      for (const key of ["encode", "decode"]) {
        const value = medianOf(times.get(`${key} ${subject.name}`) ?? []);
        rows.push({
          case: key,
          subject: subject.name,
          value: Math.round(value),
          unit: "ns",
          ratio: significant(value / ours(key)),
        });
      }
    }
    return rows.sort((a, b) => a.case.localeCompare(b.case));
  },
};
