// `waakvlam export`: its words and flags, and what of them will not do. Where the rows come from is handed in.
import { defineCommand } from "citty";
import type { GatewayConfig, RecordKind } from "../../protocol/index.ts";
import { toInstant } from "../domain/instant.ts";
import type { CommandIo, ExitCode } from "./commands.ts";
import { CONFIG_FLAG, type CommandShell } from "./definitions.ts";
import { wordNotKnown } from "./word-not-known.ts";

export interface ExportRequest {
  readonly config: GatewayConfig;
  readonly format: "csv" | "line";
  readonly kind: RecordKind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly devices: readonly string[];
  /** Standard output when undefined. */
  readonly out: string | undefined;
}

export interface Exported {
  /** Written. */
  readonly rows: number;
  /** When the oldest row that the journal still has was received; undefined where it has none. */
  readonly oldestMs: number | undefined;
}

/** Throws GatewayError. */
export type Exporter = (request: ExportRequest) => Promise<Exported>;

const FORMATS = ["csv", "line"] as const;
const KINDS: readonly RecordKind[] = ["samples", "events", "info", "undecoded", "entries"];
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/** A day (UTC) or an RFC 3339 moment with its offset; undefined for anything else. */
export function parseMoment(text: string): number | undefined {
  if (!DAY.test(text) && !INSTANT.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  // The 31st of a month of 30 days would become the first of the next.
  const day = text.slice(0, 10);
  return new Date(Date.parse(day)).toISOString().startsWith(day) ? ms : undefined;
}

interface Words {
  readonly format: string;
  readonly records: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly devices: string | undefined;
}

/** The request, or the line that says what is wrong. */
export function parseExport(words: Words): Omit<ExportRequest, "config" | "out"> | string {
  const format = FORMATS.find((one) => one === words.format);
  if (format === undefined) return wordNotKnown("--format", words.format, FORMATS);
  const kind = KINDS.find((one) => one === words.records);
  if (kind === undefined) return wordNotKnown("--records", words.records, KINDS);
  const fromMs = words.from === undefined ? Number.NEGATIVE_INFINITY : parseMoment(words.from);
  const toMs = words.to === undefined ? Number.POSITIVE_INFINITY : parseMoment(words.to);
  const wrong = fromMs === undefined ? `--from ${words.from}` : toMs === undefined ? `--to ${words.to}` : undefined;
  if (fromMs === undefined || toMs === undefined) {
    return `${wrong} is no moment: give a day (2026-11-24, UTC) or a time (2026-11-24T12:00:00Z).`;
  }
  if (fromMs >= toMs) return "--from must lie before --to: the rows from the one on and before the other are written.";
  const devices = (words.devices ?? "").split(",").filter((one) => one !== "");
  return { format, kind, fromMs, toMs, devices };
}

export async function exportCommand(
  words: Words & { readonly config: GatewayConfig; readonly out: string | undefined },
  exporter: Exporter,
  io: Pick<CommandIo, "err">,
): Promise<ExitCode> {
  const request = parseExport(words);
  if (typeof request === "string") {
    io.err(request);
    return 2;
  }
  const { rows, oldestMs } = await exporter({ ...request, config: words.config, out: words.out });
  io.err(`${rows} rows written${words.out === undefined ? "" : ` to ${words.out}`}`);
  if (oldestMs !== undefined && words.from !== undefined && request.fromMs < oldestMs) {
    const since = `The journal holds what was received from ${toInstant(oldestMs)} on`;
    io.err(`${since}; older samples are kept in history: GET /v1/devices/DEVICE/samples.`);
  }
  return 0;
}

export function exportCommands({ io, configOf, end }: CommandShell, exporter: Exporter) {
  return defineCommand({
    meta: { name: "export", description: "Write what the journal holds as CSV or line protocol; the gateway may run" },
    args: {
      format: { type: "string", description: "csv or line", default: "csv" },
      records: {
        type: "string",
        description: "Of a CSV: samples, events, info, undecoded or entries",
        default: "samples",
      },
      from: {
        type: "string",
        description: "First moment of a sample: a day (its midnight UTC), or RFC 3339",
        valueHint: "MOMENT",
      },
      to: { type: "string", description: "Moment before which samples lie", valueHint: "MOMENT" },
      devices: { type: "string", description: "Only these, with commas", valueHint: "DEVICES" },
      out: { type: "string", description: "Write to this file; standard output without it", valueHint: "FILE" },
      config: CONFIG_FLAG,
    },
    async run({ args }) {
      const { format, records, from, to, devices, out } = args;
      end(
        await exportCommand({ format, records, from, to, devices, out, config: configOf(args.config) }, exporter, io),
      );
    },
  });
}
