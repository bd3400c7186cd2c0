// Takes rows one by one: each is stepped on a draft, which is dropped when the step throws. A row that cannot be taken is
// set aside, counted and told of, and costs no other row anything.
import type { Clock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import type { Attempts } from "./attempts.ts";
import type { Picture } from "./picture.ts";
import type { Saver } from "./saving.ts";
import { createDraft, type EngineState } from "./state.ts";
import { setAsideAlert, stepRow } from "./step.ts";

/** A row is tried so often before it is set aside. */
const ATTEMPTS_MAX = 2;
/** The variant that never sets aside waits so long between its tries. */
const AGAIN_MS = 1_000;
const ERROR_CHARS_MAX = 500;
/** Devices that the registry does not know and that the log has named. */
const NAMED_MAX = 1_000;

export interface RowOptions {
  readonly clock: Clock;
  readonly state: EngineState;
  readonly picture: Picture;
  readonly saver: Saver;
  readonly attempts: Attempts;
  isStopping(): boolean;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
  beforeStep?(record: JournalRecord): void;
  readonly attemptsMax?: number;
}

export interface Rows {
  /** True when the row is behind: taken, passed by or set aside. */
  take(record: JournalRecord): Promise<boolean>;
}

export function createRows(options: RowOptions): Rows {
  const { clock, state, picture, saver, attempts } = options;
  const attemptsMax = options.attemptsMax ?? ATTEMPTS_MAX;
  const named = new Set<string>();

  function tryRow(record: JournalRecord): Error | undefined {
    const draft = createDraft(state);
    try {
      options.beforeStep?.(record);
      const result = stepRow(draft, record, picture.context);
      if (result.kind === "unknown-device") passBy(record);
      else {
        saver.commit(draft);
        const device = result.deviceId === undefined ? undefined : picture.context.deviceOf(result.deviceId);
        if (device !== undefined) picture.contacts.heard(device);
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** The row stays in the journal; only the picture does without it. */
  function passBy({ id, deviceId }: JournalRecord): void {
    state.unknownDeviceRows++;
    if (named.has(deviceId) || named.size >= NAMED_MAX) return;
    named.add(deviceId);
    options.log?.("rows of a device that the registry does not know are passed by", { row: id, deviceId });
  }

  function setAside(record: JournalRecord, failure: Error): void {
    const { id, deviceId } = record;
    const atMs = clock.nowMs();
    state.setAside++;
    options.log?.("row set aside", { row: id, deviceId, error: failure.message });
    saver.setAside({ id, error: failure.message.slice(0, ERROR_CHARS_MAX), atMs });
    const draft = createDraft(state);
    setAsideAlert(draft, id, atMs, state.setAside);
    saver.commit(draft);
  }

  return {
    async take(record) {
      const crashes = await attempts.begin(record.id);
      if (crashes >= attemptsMax) {
        setAside(record, new Error(`the gateway went down at this row ${crashes} times`));
        return true;
      }
      for (let attempt = 1; ; attempt++) {
        const failure = tryRow(record);
        if (failure === undefined) return true;
        if (attempt >= attemptsMax) {
          setAside(record, failure);
          return true;
        }
        if (attemptsMax !== Number.POSITIVE_INFINITY) continue;
        await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
        if (options.isStopping()) return false;
      }
    },
  };
}
