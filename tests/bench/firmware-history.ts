// What 72 hours of history cost: bytes a sample in frames of each size, and the airtime of all of it, beside peers.
import { airtimeMs, payloadMax } from "../../firmware/links/lorawan/ledger.ts";
import type { BenchRow } from "./bench.ts";
import { significant } from "./bench.ts";
import { packWaakvlam, SUBJECTS } from "./firmware-peers.ts";
import { mainTrace, otherTraces, type Trace, thinnedTo } from "./firmware-traces.ts";

/** Largest payloads at SF12 to SF10, SF9, and SF8 and faster. */
const FRAME_BYTES = [51, 115, 222] as const;
const SPREADINGS = [7, 9, 10, 12] as const;
const INTERVALS_S = [60, 900] as const;
/** 1 % of an hour in each of two sub-bands. */
const BUDGET_S_PER_HOUR = 2 * 36;

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0);
}

/** Rows of one case for all subjects: a value of each, and its ratio to ours. */
function rowsOf(name: string, unit: string, values: ReadonlyMap<string, number>): BenchRow[] {
  const ours = values.get("waakvlam") as number;
  return [...values].map(([subject, value]) => {
    return { case: name, subject, value: significant(value), unit, ratio: significant(value / ours) };
  });
}

function bytesRows(trace: Trace): BenchRow[] {
  return FRAME_BYTES.flatMap((bytesMax) => {
    const each = SUBJECTS.flatMap(({ name, pack }): [string, number][] => {
      if (name === "cbor-map" && bytesMax < 60) return [];
      return [[name, sum(pack(trace, bytesMax)) / trace.reports.length]];
    });
    return rowsOf(`backlog-bytes-per-sample-${bytesMax}`, "B", new Map(each));
  });
}

function otherRows(): BenchRow[] {
  return otherTraces().flatMap((trace) =>
    FRAME_BYTES.map((bytesMax) => {
      const value = significant(sum(packWaakvlam(trace, bytesMax)) / trace.reports.length);
      return { case: `other-trace-bytes-${bytesMax}`, subject: trace.name, value, unit: "B" };
    }),
  );
}

function airtimeRows(trace: Trace): BenchRow[] {
  return INTERVALS_S.flatMap((intervalS) => {
    const history = intervalS === trace.intervalS ? trace : thinnedTo(trace, intervalS);
    return SPREADINGS.flatMap((spreading) => {
      const dataRate = 12 - spreading;
      const bytesMax = payloadMax(dataRate);
      const seconds = new Map(
        SUBJECTS.filter(({ name }) => name !== "cbor-map").map(({ name, pack }) => {
          return [name, sum(pack(history, bytesMax).map((bytes) => airtimeMs(bytes, dataRate))) / 1000];
        }),
      );
      const hours = new Map([...seconds].map(([name, value]) => [name, value / BUDGET_S_PER_HOUR]));
      const what = `72h-${intervalS / 60}min-sf${spreading}`;
      return [...rowsOf(`airtime-${what}`, "s", seconds), ...rowsOf(`airtime-hours-${what}`, "h", hours)];
    });
  });
}

export function historyRows(log: (line: string) => void): BenchRow[] {
  const trace = mainTrace();
  log(
    trace.isShared
      ? "firmware: bytes and airtime over ../shared/data/trace-72h.csv"
      : "firmware: no ../shared/data/trace-72h.csv; bytes and airtime over a trace drawn from a seed in its stead",
  );
  return [...bytesRows(trace), ...otherRows(), ...airtimeRows(trace)];
}
