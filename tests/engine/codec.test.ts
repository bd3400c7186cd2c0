// The protocol's golden frames on the real engine, both ways, and backlog frames against the same code on this machine.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backlogRowOf, createBacklogEncoder, decodeUplink, encodeReport, FLAG_NAMES } from "../../protocol/wire.ts";
import { sha256 } from "../fixtures.ts";
import type { EngineBoard } from "./engine.ts";
import { findEspruino, unless } from "./find.ts";
import { bytesOfHex, hexOf, startProgram } from "./program.ts";

interface Vector {
  readonly kind: string;
  readonly name: string;
  readonly hex: string;
  readonly key?: string;
  readonly value?: Record<string, unknown>;
  readonly input?: Record<string, unknown>;
  readonly fault?: string;
  readonly decodeOnly?: boolean;
}

interface BacklogVector {
  readonly name: string;
  readonly hex: string;
  readonly stepS: number;
  readonly reports: readonly string[];
}

function vectorsOf(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

const VECTORS = vectorsOf("vectors") as Vector[];
/** More samples in one call than a line to the engine holds. */
const REPORTS_MAX = 40;
const BACKLOGS = (vectorsOf("backlog") as BacklogVector[]).filter((one) => one.reports.length <= REPORTS_MAX);
const DOWNLINKS = ["ack", "config", "command"];

function withFlags(value: Record<string, unknown> | undefined): unknown {
  const flags = value?.["flags"] as Record<string, boolean> | undefined;
  if (value === undefined || flags === undefined) return value;
  return { ...value, flags: Object.fromEntries(FLAG_NAMES.map((name) => [name, flags[name] === true])) };
}

/** A run of samples as a point makes them, each a report frame. */
function run(count: number, seed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const wave = Math.sin((i + seed) / 7);
    return encodeReport({
      sequence: (65_500 + i + (i > 20 ? 1 : 0)) & 65535,
      time: 1_800_000_000 + 60 * i + (i % 5 === 0 ? 1 : 0),
      flags: { clockSynced: true },
      phase: "open",
      power: {
        fuelLevelPct: 63 - i / 12,
        generator: "running",
        mains: "lost",
        loadKw: "absent",
        starterBatteryV: 13.8,
      },
      battery: { batteryV: 26.4 + wave / 5, batteryA: wave * 12, stateOfChargePct: i === 9 ? "unknown" : 87 },
      occupancy: { occupancy: Math.max(0, Math.round(140 + wave * 9)), entries: 1800 + i },
    });
  });
}

function headOf(frame: Uint8Array): Uint8Array {
  const head = new Uint8Array(11);
  head.set(frame.subarray(0, 8));
  head[0] = 0x13;
  head[8] = 7;
  head[10] = 7;
  return head;
}

const isThere = findEspruino("esp32") !== undefined;

describe.skipIf(!isThere)(`the codec on the engine${unless(isThere)}`, () => {
  let engine: EngineBoard;
  beforeAll(async () => {
    engine = await startProgram("esp32", "tests/engine/codec-entry.ts");
  });
  afterAll(() => engine.dispose());

  async function call(code: string): Promise<string> {
    return (await engine.evaluate(code)).join("\n");
  }

  test("reads and writes every golden frame", async () => {
    for (const vector of VECTORS) {
      const { key, kind, hex } = vector;
      if (kind === "fault" && key !== undefined) {
        expect(await call(`open("${key}","${hex}")`), vector.name).toBe("");
        continue;
      }
      const frame = key === undefined ? hex : await call(`open("${key}","${hex}")`);
      const said = await call(`decode(${DOWNLINKS.includes(kind)},"${frame}")`);
      if (kind === "fault") {
        expect(said, vector.name).toContain(`"${vector.fault}"`);
        continue;
      }
      if (kind === "backlog") {
        const reports = decodeUplink(bytesOfHex(frame));
        if (reports.kind !== "backlog") throw new Error(vector.name);
        expect(said, vector.name).toBe(reports.value.reports.map(hexOf).join(" "));
        continue;
      }
      const decoded = JSON.parse(said) as { kind: string; value?: Record<string, unknown> };
      expect(decoded.kind, vector.name).toBe(kind);
      expect(withFlags(decoded.value), vector.name).toEqual(withFlags(vector.value));
      if (vector.decodeOnly === true) continue;
      const plain = await call(`encode("${kind}",${JSON.stringify(JSON.stringify(vector.input ?? vector.value))})`);
      expect(key === undefined ? plain : await call(`seal("${key}","${plain}")`), vector.name).toBe(hex);
    }
  }, 120_000);

  test("SHA-256 as this machine has it", async () => {
    for (const text of ["", "abc", "a".repeat(55), "a".repeat(56), "a".repeat(64), "waakvlam".repeat(40)]) {
      const bytes = new Uint8Array(Buffer.from(text));
      expect(await call(`sha256("${hexOf(bytes)}")`)).toBe(hexOf(sha256(bytes)));
    }
  });

  test.each(BACKLOGS)("golden backlog frame: $name", async ({ hex, stepS, reports }) => {
    // The encoder writes count, distance and all that follows.
    expect(await call(`backlog("${hex.slice(0, 22)}",242,${stepS},"${reports.join(" ")}")`)).toBe(hex);
    expect(await call(`decode(false,"${hex}")`)).toBe(reports.join(" "));
  });

  test.each([51, 115, 222])(
    "backlog frames of %i bytes are the same bytes, and come out as they went in",
    async (room) => {
      const reports = run(40, room);
      const first = reports[0] as Uint8Array;
      const encoder = createBacklogEncoder(backlogRowOf(7), room);
      encoder.start(headOf(first), room, 60);
      for (const one of reports) if (!encoder.add(one)) break;
      const here = hexOf(encoder.finish());
      const there = await call(`backlog("${hexOf(headOf(first))}",${room},60,"${reports.map(hexOf).join(" ")}")`);
      expect(there).toBe(here);
      const back = (await call(`decode(false,"${there}")`)).split(" ");
      expect(back).toEqual(reports.slice(0, back.length).map(hexOf));
      expect(back.length).toBeGreaterThan(room === 51 ? 2 : 8);
    },
    60_000,
  );
});
