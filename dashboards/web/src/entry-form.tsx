// What a point tells by voice, runner or visit, typed in by somebody who is listening with the other ear.
import { useEffect, useRef } from "preact/hooks";
import type { Entry, PointState, Session } from "../../../protocol/schema/index.ts";
import type { Fault } from "./entry-draft.ts";
import { VIAS } from "./entry-draft.ts";
import { detectedOf, NoteField, StatementFields } from "./entry-fields.tsx";
import { change, clear, draft, firstMs, isSending, type Result, result, sent, submit } from "./entry-store.ts";
import { Choices, TextField } from "./field.tsx";
import type { Format } from "./format.ts";
import { readMoment } from "./local-moment.ts";
import { PointPicker } from "./point-picker.tsx";
import { hrefOf, type Route, WHATS, type What } from "./route.ts";
import { coded, saidWords } from "./words.ts";

export interface EntryProps {
  readonly points: readonly PointState[];
  readonly session: Session;
  readonly opened: Extract<Route, { kind: "entry" }>;
  readonly nowMs: number;
  readonly format: Format;
}

export function failureWords(failed: { readonly status: number; readonly what: string }, format: Format): string {
  switch (failed.status) {
    case 0:
      return format.text("entryOffline");
    case 401:
      return format.text("entrySignedOut");
    case 403:
      return format.text("entryForbidden");
    case 502:
    case 503:
      return format.text("entryLater");
  }
  return format.text("entryRefused", { what: failed.what });
}

function faultWords({ text, values = {} }: Fault, format: Format): string {
  const { ms } = values;
  return format.text(text, ms === undefined ? values : { moment: format.moment(ms) });
}

/** The form as its address opens it: a point and what it is about, put in beside what stands there. */
function useOpened({ pointId, what }: EntryProps["opened"], points: readonly PointState[]): void {
  const isKnown = points.some((one) => one.pointId === pointId);
  useEffect(() => {
    const point = points.find((one) => one.pointId === pointId);
    if (point !== undefined) change({ pointText: point.name, pointId: point.pointId });
    if (what !== undefined) change({ what });
    const first = point === undefined ? "point" : draft.value.via === "" ? "via-voice" : `what-${what ?? "phase"}`;
    document.getElementById(first)?.focus();
  }, [pointId, what, isKnown]);
}

export function EntryForm(props: EntryProps) {
  const { format, points, nowMs } = props;
  const messages = useRef<HTMLDivElement>(null);
  const now = draft.value;
  const outcome = result.value;
  const point = points.find((one) => one.pointId === now.pointId);
  useOpened(props.opened, points);
  useEffect(() => {
    if (outcome.kind !== "none") messages.current?.focus();
  }, [outcome]);
  const faults = outcome.kind === "faults" ? outcome.faults : [];
  const errorOf = (field: string) => {
    const fault = faults.find((one) => one.field === field);
    return fault === undefined ? undefined : faultWords(fault, format);
  };
  if (props.session.role === "viewer")
    return (
      <main class="page entry">
        <h2>{format.text("entryTitle")}</h2>
        <p>{format.text("entryViewer")}</p>
      </main>
    );
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    void submit(detectedOf(point).map((delivery) => delivery.deliveryId));
  };
  const isFailed = outcome.kind === "failed";
  return (
    <main class="page entry">
      <h2>{format.text("entryTitle")}</h2>
      <p class="lead">{format.text("entryIntro")}</p>
      <div ref={messages} tabIndex={-1} class="messages">
        <Messages outcome={outcome} points={points} format={format} />
      </div>
      <form noValidate onSubmit={onSubmit}>
        <FormFields points={points} nowMs={nowMs} format={format} errorOf={errorOf} />
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={isSending.value}>
            {format.text(isSending.value ? "entrySending" : isFailed ? "entryAgain" : "entrySend")}
          </button>
          <button type="button" onClick={clear}>
            {format.text("entryClear")}
          </button>
        </div>
      </form>
      <Sent points={points} format={format} />
    </main>
  );
}

interface FormFieldsProps extends Pick<EntryProps, "points" | "nowMs" | "format"> {
  readonly errorOf: (field: string) => string | undefined;
}

function FormFields({ points, nowMs, format, errorOf }: FormFieldsProps) {
  const now = draft.value;
  const point = points.find((one) => one.pointId === now.pointId);
  return (
    <>
      <PointPicker
        points={points}
        text={now.pointText}
        pointId={now.pointId}
        onChange={(pointText, pointId) => change({ pointText, pointId, delivery: "" })}
        error={errorOf("point")}
        format={format}
      />
      <Choices
        id="via"
        name="via"
        label={format.text("fieldVia")}
        error={errorOf("via-voice")}
        choices={VIAS.map((via) => ({ value: via, label: coded(format, "via", via) }))}
        value={now.via}
        onValue={(via) => change({ via: via as Entry["via"] })}
      />
      <Choices
        id="what"
        name="what"
        label={format.text("fieldWhat")}
        error={errorOf("what-phase")}
        choices={WHATS.map((what) => ({ value: what, label: coded(format, "what", what) }))}
        value={now.what}
        onValue={(what) => change({ what: what as What })}
      />
      <StatementFields draft={now} point={point} format={format} errorOf={errorOf} />
      <div class="time">
        <TextField
          id="time"
          label={format.text("fieldTime")}
          hint={format.text("fieldTimeHint")}
          error={errorOf("time")}
          isNarrow
          value={now.time}
          onValue={(time) => change({ time })}
        />
        <p class="chosen" role="status">
          {timeWords(now.time, firstMs.value ?? nowMs, format)}
        </p>
      </div>
      <NoteField draft={now} point={point} format={format} errorOf={errorOf} />
    </>
  );
}

function timeWords(text: string, nowMs: number, format: Format): string {
  if (text.trim() === "") return format.text("timeNow", { moment: format.moment(nowMs) });
  const read = readMoment(text, nowMs);
  if (read.kind !== "moment") return "";
  return format.text("timeIs", { moment: format.moment(read.ms), age: format.age(nowMs - read.ms) });
}

interface MessagesProps {
  readonly outcome: Result;
  readonly points: readonly PointState[];
  readonly format: Format;
}

function Messages({ outcome, points, format }: MessagesProps) {
  switch (outcome.kind) {
    case "none":
      return null;
    case "faults":
      return <FaultSummary faults={outcome.faults} format={format} />;
    case "failed":
      return (
        <div class="message failed" role="alert">
          <p>
            <b>{failureWords(outcome, format)}</b>
          </p>
          <p>{format.text("entryKept")}</p>
        </div>
      );
    case "done": {
      const { entry, differs } = outcome;
      const what = entryWords(entry, points, format);
      return (
        <div class="message" role="status">
          <p>
            <b>{format.text(differs ? "entryDiffers" : "entryDone", { what })}</b>
          </p>
          {!differs && <p>{format.text("entryNext")}</p>}
          <a href={hrefOf({ kind: "point", pointId: entry.pointId })}>
            {format.text("entryOpenPoint", { name: nameOf(entry.pointId, points) })}
          </a>
        </div>
      );
    }
  }
}

function FaultSummary({ faults, format }: { faults: readonly Fault[]; format: Format }) {
  return (
    <div class="message failed" role="alert">
      <p>
        <b>{format.text("faultSummary", { n: faults.length })}</b>
      </p>
      <ul>
        {faults.map((fault) => (
          <li key={fault.field}>
            <a
              href={`#${fault.field}`}
              onClick={(event) => {
                // The address says which screen this is: it is left alone.
                event.preventDefault();
                document.getElementById(fault.field)?.focus();
              }}
            >
              {faultWords(fault, format)}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function nameOf(pointId: string, points: readonly PointState[]): string {
  return points.find((point) => point.pointId === pointId)?.name ?? pointId;
}

function entryWords(entry: Entry, points: readonly PointState[], format: Format): string {
  const parts = [
    nameOf(entry.pointId, points),
    saidWords(entry.statement, format),
    format.moment(Date.parse(entry.at)),
  ];
  return parts.join(", ");
}

function Sent({ points, format }: { points: readonly PointState[]; format: Format }) {
  if (sent.value.length === 0) return null;
  return (
    <section class="sent">
      <h3>{format.text("entrySent")}</h3>
      <ol>
        {sent.value.map((entry) => (
          <li key={entry.entryId}>
            {`${entryWords(entry, points, format)} · ${coded(format, "via", entry.via)}`}
            {entry.note !== undefined && <span class="sub">{entry.note}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
