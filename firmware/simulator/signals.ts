// From the physical point to wires: volts of a probe, levels of relays, edges of light beams, bytes of a battery monitor.
// The drivers have to do the rest.
import type { PointPhysics } from "./point-physics.ts";
import type { Random } from "./random.ts";
import type { ScenarioPoint } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Wiring } from "./virtual-board.ts";

const SHUNT_OHM = 150;
const REFERENCE_V = 3.3;
export const STARTER_FULL_SCALE_V = 36.3;
const HOUR_MS = 3_600_000;
/** The engine hands serial data on in pieces of at most this. */
const FRAGMENT_BYTES = 32;
/** One passage in so many is missed by a beam, or turns back in the door. */
const TURNED_SHARE = 0.04;
const BEAM_A = "D13";
const BEAM_B = "D14";

export type Fault = NonNullable<ScenarioPoint["faults"]>[number]["kind"];

export interface Signals extends Wiring {
  /** Starts what happens by itself: people at the door. */
  start(): void;
  setFault(fault: Fault): void;
}

export interface SignalOptions {
  readonly point: ScenarioPoint;
  readonly physics: PointPhysics;
  readonly schedule: Schedule;
  readonly random: Random;
  /** Milliseconds since the outage began. */
  readonly outageMs: () => number;
}

export function createSignals(options: SignalOptions): Signals {
  const { point, physics, schedule, random } = options;
  const faults = new Set<Fault>();
  const watches = new Map<string, (isHigh: boolean) => void>();
  const levels = new Map<string, boolean>([
    [BEAM_A, true],
    [BEAM_B, true],
  ]);

  function now(): void {
    physics.advance(options.outageMs());
  }

  function probeVolts(): number {
    if (faults.has("fuel-probe-open")) return random.normal(0.004, 0.002);
    const tankL = point.generator?.tankL ?? 1;
    const share = Math.min(1, Math.max(0, physics.litres() / tankL)) + random.normal(0, 0.0015);
    return ((4 + 16 * Math.min(1.02, Math.max(-0.01, share))) / 1000) * SHUNT_OHM;
  }

  function setBeam(pin: string, isHigh: boolean): void {
    if (levels.get(pin) === isHigh) return;
    levels.set(pin, isHigh);
    watches.get(pin)?.(isHigh);
  }

  /** Breaks the beams one after the other, as a body does that passes. */
  function passage(first: string, second: string, done: () => void): void {
    const stepMs = random.between(120, 260);
    setBeam(first, false);
    schedule.after(stepMs, () => setBeam(second, false));
    schedule.after(2 * stepMs, () => setBeam(first, true));
    schedule.after(3 * stepMs, () => {
      setBeam(second, true);
      done();
    });
  }

  function turnBack(first: string): void {
    setBeam(first, false);
    schedule.after(random.between(150, 500), () => setBeam(first, true));
  }

  function nextPerson(): void {
    now();
    const { arrivalsPerH, leavingPerH } = physics.flow();
    const leaving = physics.people() * leavingPerH;
    const total = arrivalsPerH + leaving;
    const waitH = Math.min(0.25, random.wait(total));
    schedule.after(Math.max(1500, waitH * HOUR_MS), () => {
      if (waitH < 0.25 && !faults.has("beam-blocked")) {
        const comes = random.next() * total < arrivalsPerH;
        if (random.next() < TURNED_SHARE) turnBack(comes ? BEAM_A : BEAM_B);
        else if (comes) passage(BEAM_A, BEAM_B, () => physics.personIn());
        else passage(BEAM_B, BEAM_A, () => physics.personOut());
      }
      nextPerson();
    });
  }

  return {
    start: nextPerson,
    setFault: (fault) => {
      faults.add(fault);
      if (fault === "beam-blocked") setBeam(BEAM_A, false);
    },
    analog: (pin) => {
      now();
      if (pin === "D34") return Math.min(1, Math.max(0, probeVolts() / REFERENCE_V));
      if (pin === "D35") return Math.min(1, Math.max(0, physics.starterV() / STARTER_FULL_SCALE_V));
      return 0;
    },
    digital: (pin) => {
      now();
      if (pin === "D25") return physics.mainsPresent();
      if (pin === "D26") return physics.generatorRuns() || physics.generatorCranks();
      if (pin === "D27") return physics.generatorRuns();
      return levels.get(pin) ?? false;
    },
    watch: (pin, edge) => void watches.set(pin, edge),
    openSerial: (_port, baud, data) => {
      let isOpen = true;
      let turn = 0;
      const send = () => {
        if (!isOpen) return;
        now();
        const text = faults.has("battery-line-cut") ? "" : turn % 2 === 0 ? liveBlock(physics) : historyBlock();
        turn++;
        for (let at = 0; at < text.length; at += FRAGMENT_BYTES) {
          const piece = text.slice(at, at + FRAGMENT_BYTES);
          schedule.after(((at + piece.length) * 10_000) / baud, () => {
            if (isOpen) data(piece);
          });
        }
        schedule.after(1000, send);
      };
      if (point.battery !== undefined) schedule.after(random.between(50, 900), send);
      return () => {
        isOpen = false;
      };
    },
  };
}

/** A text block of VE.Direct: all its bytes sum to zero modulo 256. */
export function veBlock(fields: readonly (readonly [label: string, value: string])[]): string {
  const text = `${fields.map(([label, value]) => `\r\n${label}\t${value}`).join("")}\r\nChecksum\t`;
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return text + String.fromCharCode((256 - (sum & 255)) & 255);
}

function liveBlock(physics: PointPhysics): string {
  return veBlock([
    ["PID", "0xA389"],
    ["V", String(Math.round(physics.batteryV() * 1000))],
    ["I", String(Math.round(physics.batteryA() * 1000))],
    ["P", String(Math.round(physics.batteryV() * physics.batteryA()))],
    ["SOC", String(Math.round(physics.chargePct() * 10))],
    ["TTG", "-1"],
    ["Alarm", "OFF"],
    ["AR", "0"],
    ["MON", "0"],
  ]);
}

function historyBlock(): string {
  return veBlock([
    ["H1", "-56000"],
    ["H2", "-12000"],
    ["H4", "14"],
    ["H7", "24110"],
    ["H8", "28350"],
    ["H17", "9120"],
    ["H18", "9870"],
  ]);
}
