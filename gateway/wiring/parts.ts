// What the parts of the gateway are put together from, and the files that they are given by path.
import { readFileSync } from "node:fs";
import type { GatewayConfig } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import { GatewayError } from "../errors.ts";
import type { History } from "../history/history.ts";
import type { Journal } from "../journal/journal.ts";
import type { Logs } from "../log.ts";
import type { SinkSet } from "./sink-set.ts";
import type { Store } from "./store.ts";

export const VERSION = "0.1.0";

export interface Parts {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logs: Logs;
  readonly journal: Journal;
  readonly store: Store;
  readonly engine: Engine;
  readonly history: History;
  readonly sinks: SinkSet;
}

/** The text of a certificate, key or token file. Throws FILE_UNREADABLE. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}
