// Journal rows as CloudEvents 1.0 by the NL GOV profile 1.1: `time` is when the gateway logged the record, the moment of the
// sample is data; `id` persistently names the record, so that a receiver counts it once however often it comes.
import { type CloudEvent, EVENT_TYPES, type RecordKind } from "../../protocol/index.ts";
import { toInstant } from "../domain/instant.ts";
import { hasIdentity, isTold, type JournalRecord } from "../domain/record.ts";
import { type LineContext, pointOfRow } from "./lines.ts";
import { type RowValues, valuesOf } from "./values.ts";

export interface EventOptions {
  /** `urn:nld:oin:NUMBER:systeem:NAME`. */
  readonly source: string;
  readonly records: readonly RecordKind[];
  /** Of the journal: names rows that have no identity of their own. */
  readonly epoch: string;
  readonly context: LineContext;
}

/** A backlog frame is no record: its samples are, each with a row of its own. */
const KINDS: Readonly<Record<RowValues["measurement"], RecordKind | undefined>> = {
  report: "samples",
  event: "events",
  info: "info",
  undecoded: "undecoded",
  entry: "entries",
  backlog: undefined,
};

const SEQUENCE_DIGITS = 16;

function kindOf({ measurement }: Pick<RowValues, "measurement">, { records }: EventOptions): RecordKind | undefined {
  const kind = KINDS[measurement];
  return kind !== undefined && records.includes(kind) ? kind : undefined;
}

/** Whether a record is asked for. */
export function isAskedFor(record: JournalRecord, options: EventOptions): boolean {
  return kindOf(valuesOf(record), options) !== undefined;
}

/** Undefined for a record that is not asked for. */
export function cloudEventOf(record: JournalRecord, options: EventOptions): CloudEvent | undefined {
  const { measurement, values } = valuesOf(record);
  const kind = kindOf({ measurement }, options);
  if (kind === undefined) return undefined;
  const deviceId = record.deviceId || "unknown";
  const pointId = pointOfRow(record, options.context);
  const told = isTold(record);
  return {
    specversion: "1.0",
    id: identityOf(record, options.epoch, values.get("entry_word")),
    source: options.source,
    type: EVENT_TYPES[kind],
    subject: told ? deviceId : `${pointId ?? "unknown"}/${deviceId}`,
    time: toInstant(record.receivedMs),
    sequence: String(record.id).padStart(SEQUENCE_DIGITS, "0"),
    datacontenttype: "application/json",
    data: {
      ...(told ? {} : { deviceId }),
      ...(pointId === undefined ? {} : { pointId }),
      sequence: record.sequence,
      sampledAt: toInstant(record.timeMs),
      timeQuality: record.timeQuality,
      link: record.link,
      values: Object.fromEntries([...values].filter(([name]) => name !== "row" && name !== "sequence")),
      ...(kind === "undecoded" ? { frameHex: Buffer.from(record.frame).toString("hex") } : {}),
    },
  };
}

/** Device and sequence, as the journal itself counts a record once; a row without them has its place in this file. */
function identityOf(record: JournalRecord, epoch: string, entryId: number | string | undefined): string {
  if (entryId !== undefined) return `${record.deviceId}.${entryId}`;
  return hasIdentity(record) ? `${record.deviceId}.${record.sequence}` : `row.${epoch}.${record.id}`;
}
