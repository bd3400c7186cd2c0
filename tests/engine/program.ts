// A program of a test's own on the engine, alone in the board's Storage.
import { BOARD_TABLES, type BoardTable } from "../../firmware/boards/table.ts";
import { bundle } from "../../firmware/build/bundle.ts";
import { createEngineBoard, type EngineBoard, type EngineOptions } from "./engine.ts";
import { findEspruino } from "./find.ts";
import { storageWith } from "./flash-file.ts";

export function tableOf(board: string): BoardTable {
  const table = BOARD_TABLES.find((one) => one.name === board);
  if (table === undefined) throw new Error(`there is no board ${board}`);
  return table;
}

/** Boots an engine whose loader is this program; what it sets on `global` can be called with `evaluate`. */
export async function startProgram(
  board: string,
  entry: string,
  options: Partial<EngineOptions> = {},
): Promise<EngineBoard> {
  const binary = findEspruino(board);
  if (binary === undefined) throw new Error("no Espruino found");
  const table = tableOf(board);
  const { tokens } = await bundle(entry);
  const engine = await createEngineBoard({ table, binary, storage: storageWith(table, tokens), ...options });
  await engine.boot();
  return engine;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
