// What can be done to an alert beside seeing it: put away until a time, taken out of service; each with a reason.
import { useId, useState } from "preact/hooks";
import type { Alert } from "../../../protocol/schema/index.ts";
import { type AlertDeed, actOn } from "./actions.ts";
import type { Format } from "./format.ts";

const HOURS = [1, 2, 4, 8, 12];
const HOUR_MS = 3_600_000;
const REASON_LETTERS_MIN = 3;

interface ActProps {
  readonly alert: Alert;
  readonly format: Format;
}

/** Does it, and gives back what went wrong in words; empty when nothing did. */
async function done(alert: Alert, deed: AlertDeed, format: Format): Promise<string> {
  const outcome = await actOn(alert.alertId, deed);
  if (outcome.kind === "done") return "";
  return format.text("failed", { what: outcome.what || format.text("unreachableShort") });
}

export function DeedButton({ alert, format, deed, label }: ActProps & { deed: AlertDeed; label: string }) {
  const [problem, setProblem] = useState("");
  const about = `${label}: ${alert.text[format.language].what}, ${alert.subject.name}`;
  return (
    <>
      <button
        type="button"
        class="secondary"
        aria-label={about}
        onClick={async () => setProblem(await done(alert, deed, format))}
      >
        {label}
      </button>
      {problem !== "" && <p role="alert">{problem}</p>}
    </>
  );
}

export function MoreActs({ alert, format, nowMs }: ActProps & { readonly nowMs: number }) {
  const id = useId();
  const [hours, setHours] = useState(1);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState("");
  const act = async (deed: (reason: string) => AlertDeed) => {
    const words = reason.trim();
    if (words.length < REASON_LETTERS_MIN) return setProblem(format.text("actReasonShort"));
    setProblem(await done(alert, deed(words), format));
  };
  // Whole seconds: an instant of the interface has no more than milliseconds, and nobody shelves by them.
  const untilOf = (after: number) => `${new Date(nowMs + after * HOUR_MS - 1_000).toISOString().slice(0, 19)}Z`;
  return (
    <details class="more-acts">
      <summary>{format.text("moreActs")}</summary>
      <label htmlFor={`${id}-reason`}>{format.text("actReason")}</label>
      <input
        id={`${id}-reason`}
        value={reason}
        maxLength={280}
        placeholder={format.text("actReasonHint")}
        aria-invalid={problem !== ""}
        onInput={(event) => setReason((event.currentTarget as HTMLInputElement).value)}
      />
      <label htmlFor={`${id}-hours`}>{format.text("shelveFor")}</label>
      <select
        id={`${id}-hours`}
        value={String(hours)}
        onChange={(event) => setHours(Number((event.currentTarget as HTMLSelectElement).value))}
      >
        {HOURS.map((one) => (
          <option key={one} value={String(one)}>
            {format.text("shelveHours", { n: one, time: format.clock(nowMs + one * HOUR_MS) })}
          </option>
        ))}
      </select>
      {problem !== "" && <p role="alert">{problem}</p>}
      <div class="acts">
        <button
          type="button"
          class="secondary"
          onClick={() => void act((words) => ({ path: "shelvings", body: { until: untilOf(hours), reason: words } }))}
        >
          {format.text("shelve")}
        </button>
        <button
          type="button"
          class="secondary"
          onClick={() => void act((words) => ({ path: "removals", body: { reason: words } }))}
        >
          {format.text("takeOut")}
        </button>
      </div>
    </details>
  );
}
