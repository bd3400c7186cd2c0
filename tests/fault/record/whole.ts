// A data folder with points, devices and keys, and the whole gateway on it in a process of its own.
import { fileURLToPath } from "node:url";
import { listProblems } from "../../../gateway/config/problems.ts";
import { issueKeys } from "../../../gateway/registry/keys.ts";
import { parseRegistry, saveRegistry } from "../../../gateway/registry/registry.ts";
import { type LoadDevice, loadDevice } from "../kill9-load.ts";
import { PATIENCE_MS, type Started, start } from "./processes.ts";

const WHOLE = fileURLToPath(new URL("./whole-gateway.ts", import.meta.url));

/** Devices of one point each, made in `dir`. */
export function prepareDevices(dir: string, count: number): LoadDevice[] {
  const names = Array.from({ length: count }, (_, i) => `alm-${String(i + 1).padStart(3, "0")}`);
  const text = JSON.stringify({
    version: 1,
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points: names.map((pointId) => ({
      pointId,
      name: `Punt ${pointId}`,
      kind: "community-centre",
      municipalities: [{ id: "almere" }],
      location: { lat: 52.371, lon: 5.217 },
      capacity: 150,
      generators: [{ kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } }],
    })),
    devices: names.map((pointId) => ({ deviceId: `${pointId}-d1`, pointId, board: "virtual", link: "mqtt" })),
  });
  const registry = parseRegistry(text, "proof", (schema, value) => listProblems(schema, value));
  const { devices } = issueKeys(dir, registry);
  saveRegistry(dir, registry);
  return devices.map(({ deviceId, key }) => loadDevice(deviceId, new Uint8Array(Buffer.from(key, "hex"))));
}

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What the process can be told. */
export type Order =
  | { readonly kind: "measure" | "report" | "stop" }
  | { readonly kind: "clock"; readonly offsetMs: number };

export interface Whole {
  readonly port: number;
  readonly started: Started;
  /** Begins to measure the delay of its main thread's loop. */
  measure(): void;
  report(): Promise<LoopDelay>;
  /** Through the gateway's own clock door. */
  moveClock(offsetMs: number): void;
  /** Ends it as an operator does; without warning when it does not go. */
  stop(): Promise<void>;
}

export async function startWhole(
  dir: string,
  options: { readonly env?: NodeJS.ProcessEnv; readonly program?: string; readonly args?: readonly string[] } = {},
): Promise<Whole> {
  const { env, program = WHOLE, args = [] } = options;
  const started = await start(program, ["--dir", dir, ...args], { ipc: true, ...(env === undefined ? {} : { env }) });
  const { child, gone } = started;
  // One that has ended hears nothing.
  const say = (order: Order) => void (child.connected && child.send(order));
  return {
    port: Number(started.line),
    started,
    measure: () => say({ kind: "measure" }),
    report: () => {
      const answer = new Promise<LoopDelay>((resolve) => child.once("message", (delay) => resolve(delay as LoopDelay)));
      say({ kind: "report" });
      return answer;
    },
    moveClock: (offsetMs) => say({ kind: "clock", offsetMs }),
    stop: async () => {
      say({ kind: "stop" });
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      const how = await gone;
      clearTimeout(timer);
      if (how !== 0) throw new Error(`the gateway ended with ${how}`);
    },
  };
}
