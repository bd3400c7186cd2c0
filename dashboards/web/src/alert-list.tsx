// The alerts: what is to be seen first, what was seen by whom, what has cleared unseen.
import { useState } from "preact/hooks";
import type { Alert, Session } from "../../../protocol/schema/index.ts";
import { acknowledge } from "./actions.ts";
import type { Format } from "./format.ts";
import { Mark, type MarkKind } from "./marks.tsx";
import { alertOrder } from "./order.ts";
import { hrefOf } from "./route.ts";

export interface AlertListProps {
  readonly alerts: readonly Alert[];
  readonly session: Session;
  readonly nowMs: number;
  readonly format: Format;
  readonly selected: string | undefined;
  readonly onSelect: (alertId: string) => void;
}

function markKind(alert: Alert): MarkKind {
  return alert.ruleId === "silence" ? "silent" : alert.priority;
}

function OpenAlert({ alert, isSelected, ...props }: AlertListProps & { alert: Alert; isSelected: boolean }) {
  const { format, session, nowMs, onSelect } = props;
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const text = alert.text[format.language];
  const mayAct = session.role !== "viewer";
  const act = async () => {
    setBusy(true);
    const outcome = await acknowledge(alert.alertId, note);
    setBusy(false);
    if (outcome.kind === "failed")
      setProblem(format.text("failed", { what: outcome.what || format.text("unreachableShort") }));
  };
  const hasReturned = alert.state === "returned-unacknowledged";
  return (
    <li
      class={`alert prio-${alert.priority}${isSelected ? " selected" : ""}${hasReturned ? " returned" : ""}`}
      data-alert={alert.alertId}
    >
      <button type="button" class="alert-head" aria-expanded={isSelected} onClick={() => onSelect(alert.alertId)}>
        <Mark kind={markKind(alert)} format={format} />
        <span>
          <strong>{text.what}</strong>
          <span class="who">{alert.subject.name}</span>
        </span>
        <time dateTime={alert.raisedAt}>{format.age(nowMs - Date.parse(alert.raisedAt))}</time>
      </button>
      <p>
        {hasReturned && <b>{format.text("returned")} · </b>}
        {text.consequence}
      </p>
      {isSelected && (
        <p class="advice">
          {text.action}{" "}
          {alert.values["requestId"] !== undefined && (
            <a href={hrefOf({ kind: "requests" })}>{format.text("requestsTitle")}</a>
          )}
        </p>
      )}
      {isSelected && mayAct && (
        <label class="note">
          {format.text("note")}
          <input
            value={note}
            maxLength={500}
            placeholder={format.text("noteHint")}
            onInput={(event) => setNote((event.currentTarget as HTMLInputElement).value)}
          />
        </label>
      )}
      {mayAct && (
        <button
          type="button"
          class={isSelected ? "primary" : "secondary"}
          disabled={busy}
          onClick={() => void act()}
          aria-label={`${format.text("acknowledge")}: ${text.what}, ${alert.subject.name}`}
        >
          {format.text("acknowledge")}
        </button>
      )}
      {problem !== "" && <p role="alert">{problem}</p>}
    </li>
  );
}

export function AlertList(props: AlertListProps) {
  const { alerts, format, nowMs } = props;
  const open = alerts.filter((alert) => alert.state !== "acknowledged").sort(alertOrder);
  const seen = alerts.filter((alert) => alert.state === "acknowledged").sort(alertOrder);
  const oldest = Math.min(...open.map((alert) => Date.parse(alert.raisedAt)));
  return (
    <section class="alerts" aria-labelledby="alerts-title">
      <div class="head">
        <h2 id="alerts-title">{format.text("alerts")}</h2>
        {props.session.role === "viewer" && <span>{format.text("onlyViewing")}</span>}
      </div>
      <div class="scroll">
        <h3 class="sub-head">
          <span>{format.text("unacknowledged", { n: open.length })}</span>
          {open.length > 0 && <span>{format.text("oldest", { age: format.age(nowMs - oldest) })}</span>}
        </h3>
        <ul>
          {open.map((alert, i) => (
            <OpenAlert
              key={alert.alertId}
              {...props}
              alert={alert}
              isSelected={props.selected === undefined ? i === 0 : props.selected === alert.alertId}
            />
          ))}
        </ul>
        {alerts.length === 0 && <p class="nothing">{format.text("noAlerts")}</p>}
        {seen.length > 0 && (
          <h3 class="sub-head">
            <span>{format.text("acknowledged", { n: seen.length })}</span>
          </h3>
        )}
        <ul class="seen">
          {seen.map((alert) => (
            <li key={alert.alertId}>
              <Mark kind={markKind(alert)} format={format} />
              <div>
                <span>{`${alert.text[format.language].what} · ${alert.subject.name}`}</span>
                <span class="sub">
                  {`${alert.acknowledged?.by ?? ""} · ${format.clock(Date.parse(alert.acknowledged?.at ?? alert.updatedAt))}`}
                  {alert.acknowledged?.note === undefined ? "" : ` — ${alert.acknowledged.note}`}
                </span>
                <span class="sub">{alert.text[format.language].consequence}</span>
              </div>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
