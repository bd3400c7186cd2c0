// The gateway's wall clock jumps, was never set, and passes 2038: the record's order stays, nothing is lost or stored twice, an
// ack names no time that is not known, and each record says how sure its time is.
import { realpathSync } from "node:fs";
import { systemClock } from "../../gateway/clock.ts";
import type { JournalRecord, TimeQuality } from "../../gateway/domain/record.ts";
import { FIRST_CYCLE_BASE } from "../../gateway/domain/sequence.ts";
import { openJournal, READ_ROWS_MAX } from "../../gateway/journal/journal.ts";
import { wholeFlag } from "../command.ts";
import { NOON_MS } from "../fixtures.ts";
import { type ClockDevice, clockDevice } from "./clock-device.ts";
import { isShortForm, type Proof, type ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { createMovedClock, type MovedClock } from "./record/moved-clock.ts";
import { prepareDevices, type Whole } from "./record/whole.ts";

const DEVICES = 6;
const HOUR_MS = 3_600_000;
/** Real time passes during a phase; a record belongs to its phase within this. */
const SLACK_MS = 120_000;
/** The last second of 32 signed bits is 03:14:07. */
const BEFORE_2038_MS = Date.UTC(2038, 0, 19, 3, 14, 5);

interface Phase {
  readonly name: string;
  /** What the time is, as devices with a clock have it. */
  readonly trueMs: number;
  readonly gatewayMs: number;
  /** The gateway starts anew with this clock. */
  readonly boots?: true;
  readonly isTrusted: boolean;
  /** Of devices with a clock, and of those without. */
  readonly quality: { readonly synced: TimeQuality; readonly unsynced: TimeQuality };
  /** Lasts at least this long. */
  readonly leastMs?: number;
}

const SURE = { isTrusted: true, quality: { synced: "synced", unsynced: "estimated" } } as const;

function at(name: string, trueMs: number, part: Partial<Phase> = {}): Phase {
  return { name, trueMs, gatewayMs: trueMs, ...SURE, ...part };
}

const PHASES: readonly Phase[] = [
  at("right", NOON_MS),
  at("an hour ahead", NOON_MS + 300_000, { gatewayMs: NOON_MS + 300_000 + HOUR_MS }),
  // Two hours ahead of the gateway no device can be right.
  at("two hours behind", NOON_MS + 600_000, {
    gatewayMs: NOON_MS + 600_000 - 2 * HOUR_MS,
    quality: { synced: "suspect", unsynced: "estimated" },
  }),
  at("right again", NOON_MS + 900_000),
  at("boot in 1970", NOON_MS + 1_200_000, {
    gatewayMs: 10_000,
    boots: true,
    isTrusted: false,
    quality: { synced: "synced", unsynced: "suspect" },
  }),
  at("set while it runs", NOON_MS + 1_500_000),
  at("over 2038", BEFORE_2038_MS, { leastMs: 5_000 }),
  at("boot after 2038", BEFORE_2038_MS + 300_000, { boots: true }),
];

interface Sent {
  readonly phase: number;
  readonly isSynced: boolean;
  readonly ackTimeS: number;
}

/** By device and sequence. */
type SentRecords = Map<string, Sent>;

function keyOf(deviceId: string, sequence: number): string {
  return `${deviceId} ${sequence}`;
}

async function runPhase(
  index: number,
  devices: readonly ClockDevice[],
  frames: number,
  sent: SentRecords,
): Promise<void> {
  const phase = PHASES[index] as Phase;
  const began = performance.now();
  await Promise.all(
    devices.map(async (one) => {
      for (let i = 0; i < frames || performance.now() - began < (phase.leastMs ?? 0); i++) {
        const elapsedMs = performance.now() - began;
        const timeS = Math.floor(one.isSynced ? (phase.trueMs + elapsedMs) / 1000 : performance.now() / 1000);
        const { sequence, ackTimeS } = await one.send(timeS);
        sent.set(keyOf(one.device.deviceId, sequence), { phase: index, isSynced: one.isSynced, ackTimeS });
      }
    }),
  );
}

/** Runs all phases on one data folder. */
async function live(clock: MovedClock, devices: readonly ClockDevice[], frames: number, log: ProofContext["log"]) {
  const sent: SentRecords = new Map();
  let gateway: Whole | undefined;
  try {
    for (const [index, phase] of PHASES.entries()) {
      if (phase.boots === true) {
        for (const device of devices) device.close();
        await gateway?.stop();
        gateway = undefined;
      }
      clock.set(phase.gatewayMs);
      if (gateway === undefined) {
        gateway = await clock.start();
        const { port } = gateway;
        // The start took its time.
        clock.set(phase.gatewayMs);
        await Promise.all(devices.map((device) => device.connect(port)));
      }
      await runPhase(index, devices, frames, sent);
      log(`clock: ${phase.name}`);
    }
    await gateway?.stop();
    return sent;
  } finally {
    for (const device of devices) device.close();
    gateway?.started.child.kill("SIGKILL");
  }
}

interface Judged {
  readonly lost: number;
  readonly twice: number;
  readonly missed: string[];
}

function wrongIn(record: JournalRecord, one: Sent): string | undefined {
  const phase = PHASES[one.phase] as Phase;
  const quality = phase.quality[one.isSynced ? "synced" : "unsynced"];
  if (record.timeQuality !== quality) return `${phase.name}: a time is ${record.timeQuality}, not ${quality}`;
  const expectedMs = quality === "synced" ? phase.trueMs : phase.gatewayMs;
  const isNear = (ms: number, wantedMs: number) => Math.abs(ms - wantedMs) < SLACK_MS;
  if (!isNear(record.timeMs, expectedMs)) return `${phase.name}: placed at ${record.timeMs}`;
  if (!isNear(record.receivedMs, phase.gatewayMs)) return `${phase.name}: received at ${record.receivedMs}`;
  if (!phase.isTrusted) return one.ackTimeS === 0 ? undefined : `${phase.name}: an ack names ${one.ackTimeS}`;
  return isNear(one.ackTimeS * 1000, phase.gatewayMs) ? undefined : `${phase.name}: an ack names ${one.ackTimeS}`;
}

/** Steps back in what should only go forward: phases over all devices, sequences of each. */
function stepsBack(records: readonly JournalRecord[], sent: SentRecords): number {
  let [steps, phase] = [0, 0];
  const newest = new Map<string, number>();
  for (const { deviceId, sequence } of records) {
    const now = sent.get(keyOf(deviceId, sequence - FIRST_CYCLE_BASE))?.phase ?? phase;
    if (now < phase || sequence <= (newest.get(deviceId) ?? 0)) steps++;
    phase = Math.max(phase, now);
    newest.set(deviceId, sequence);
  }
  return steps;
}

function judge(records: readonly JournalRecord[], sent: SentRecords): Judged {
  const found = new Map<string, number>();
  const wrong = new Set<string>();
  for (const record of records) {
    const key = keyOf(record.deviceId, record.sequence - FIRST_CYCLE_BASE);
    found.set(key, (found.get(key) ?? 0) + 1);
    const one = sent.get(key);
    const what = one === undefined ? "a record that nobody sent" : wrongIn(record, one);
    if (what !== undefined) wrong.add(what);
  }
  const steps = stepsBack(records, sent);
  return {
    lost: [...sent.keys()].filter((key) => !found.has(key)).length,
    twice: [...found.values()].filter((count) => count > 1).length,
    missed: [...wrong, ...(steps > 0 ? [`the order steps back ${steps} times`] : [])],
  };
}

/** A reader that follows the wall clock: what it has not seen when its cursor has passed it. */
function missedByWallClock(records: readonly JournalRecord[]): number {
  let cursorMs = Number.NEGATIVE_INFINITY;
  return records.filter(({ receivedMs }) => {
    const isPassed = receivedMs < cursorMs;
    cursorMs = Math.max(cursorMs, receivedMs);
    return isPassed;
  }).length;
}

async function allRecords(dir: string): Promise<JournalRecord[]> {
  const journal = await openJournal({ dir, clock: systemClock });
  const records: JournalRecord[] = [];
  for (;;) {
    const more = await journal.read(records.at(-1)?.id ?? 0, READ_ROWS_MAX);
    if (more.length === 0) break;
    records.push(...more);
  }
  await journal.close();
  return records;
}

export const proof: Proof = {
  name: "clock",
  summary: "the gateway's clock jumps, starts in 1970 and passes 2038: order, record and time quality stay right",
  flags: { form: "short: fewer reports; full (full)", frames: "of each device on each clock (200, short 12)" },
  async run(context) {
    const frames = wholeFlag(context.flags, "frames", isShortForm(context.flags) ? 12 : 200);
    const folder = proofFolder();
    try {
      const dir = realpathSync(folder.path);
      const devices = prepareDevices(dir, DEVICES).map((device, i) => clockDevice(device, i % 2 === 0));
      const clock = createMovedClock(dir);
      const sent = await live(clock, devices, frames, context.log);
      const records = await allRecords(dir);
      const judged = judge(records, sent);
      const byWall = [...records].sort((a, b) => a.receivedMs - b.receivedMs || a.id - b.id);
      return {
        name: "clock",
        seed: context.seed,
        way: clock.way,
        acknowledged: sent.size,
        ...judged,
        phases: PHASES.length,
        control: {
          name: "order and cursor by the wall clock",
          caught: stepsBack(byWall, sent) > 0 && missedByWallClock(records) > 0,
        },
      };
    } finally {
      folder.remove();
    }
  },
};
