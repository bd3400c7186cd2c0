// The alerts: what is to be seen first, what was seen by whom, what has cleared unseen.
import { useState } from "preact/hooks";
import type { Alert, Session } from "../../../protocol/schema/index.ts";
import { acknowledge } from "./actions.ts";
import { DeedButton, MoreActs } from "./alert-acts.tsx";
import type { Format } from "./format.ts";
import { Mark, type MarkKind } from "./marks.tsx";
import { alertOrder, isHidden, isSeen, isUnseen } from "./order.ts";
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
  return alert.ruleId === "silence" || alert.ruleId === "path-down" ? "silent" : alert.priority;
}

/** A line that stands for many says whom it is about itself. */
function whoOf({ subject }: Alert): string {
  return subject.kind === "group" || subject.kind === "path" ? "" : subject.name;
}

/** The points behind a line that stands for many. */
function Members({ alert, alerts, format }: AlertListProps & { alert: Alert }) {
  const members = alerts.filter((one) => one.suppressedBy === alert.alertId);
  if (members.length === 0) return null;
  return (
    <details class="members">
      <summary>{format.text("membersOf", { n: members.length })}</summary>
      <ul>
        {members.map((one) => (
          <li key={one.alertId}>
            {one.subject.name}
            <span class="sub">{one.text[format.language].consequence}</span>
          </li>
        ))}
      </ul>
    </details>
  );
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
  const hasReturned = alert.state === "returned-unacknowledged" || alert.state === "latched-unacknowledged";
  const leftMs = alert.respondBy === undefined ? 0 : Date.parse(alert.respondBy) - nowMs;
  return (
    <li
      class={`alert prio-${alert.priority}${isSelected ? " selected" : ""}${hasReturned ? " returned" : ""}`}
      data-alert={alert.alertId}
    >
      <button type="button" class="alert-head" aria-expanded={isSelected} onClick={() => onSelect(alert.alertId)}>
        <Mark kind={markKind(alert)} format={format} />
        <span>
          <strong>{text.what}</strong>
          <span class="who">{whoOf(alert)}</span>
        </span>
        <time dateTime={alert.raisedAt}>{format.age(nowMs - Date.parse(alert.raisedAt))}</time>
      </button>
      <p>
        {hasReturned && <b>{format.text(alert.state.startsWith("latched") ? "latched" : "returned")} · </b>}
        {text.consequence}
        {leftMs > 0 && <b class="respond"> · {format.text("respondIn", { time: format.age(leftMs) })}</b>}
      </p>
      <Members {...props} alert={alert} />
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
      {isSelected && mayAct && <MoreActs alert={alert} format={format} nowMs={nowMs} />}
      {problem !== "" && <p role="alert">{problem}</p>}
    </li>
  );
}

function SeenAlert({ alert, format, session }: AlertListProps & { alert: Alert }) {
  const { acknowledged, state } = alert;
  const text = alert.text[format.language];
  return (
    <li>
      <Mark kind={markKind(alert)} format={format} />
      <div>
        <span>{[text.what, whoOf(alert)].filter((one) => one !== "").join(" · ")}</span>
        <span class="sub">
          {`${acknowledged?.by ?? ""} · ${format.clock(Date.parse(acknowledged?.at ?? alert.updatedAt))}`}
          {acknowledged?.note === undefined ? "" : ` — ${acknowledged.note}`}
        </span>
        <span class="sub">{state === "latched-acknowledged" ? format.text("latched") : text.consequence}</span>
        {state === "latched-acknowledged" && session.role !== "viewer" && (
          <DeedButton alert={alert} deed={{ path: "resets" }} label={format.text("reset")} format={format} />
        )}
      </div>
    </li>
  );
}

/** Why nobody is shown it now, and the way back. */
function HiddenAlert({ alert, format, session, alerts, nowMs }: AlertListProps & { alert: Alert }) {
  const { shelved, outOfService, suppressedBy } = alert;
  const time = (at: string) => format.farMoment(Date.parse(at), nowMs);
  const cause = alerts.find((one) => one.alertId === suppressedBy);
  const why =
    shelved !== undefined
      ? format.text("shelvedUntil", { ...shelved, time: time(shelved.until) })
      : outOfService !== undefined
        ? format.text("outOfServiceBy", { ...outOfService, time: time(outOfService.at) })
        : (cause?.text[format.language].what ?? "");
  const back = shelved !== undefined ? "unshelvings" : outOfService !== undefined ? "returns" : undefined;
  return (
    <li>
      <Mark kind={markKind(alert)} format={format} />
      <div>
        <span>{`${alert.text[format.language].what} · ${alert.subject.name}`}</span>
        <span class="sub">{why}</span>
        {back !== undefined && session.role !== "viewer" && (
          <DeedButton
            alert={alert}
            deed={{ path: back }}
            label={format.text(back === "returns" ? "putBack" : "takeBack")}
            format={format}
          />
        )}
      </div>
    </li>
  );
}

export function AlertList(props: AlertListProps) {
  const { alerts, format, nowMs } = props;
  const open = alerts.filter(isUnseen).sort(alertOrder);
  const seen = alerts.filter(isSeen).sort(alertOrder);
  const hidden = alerts.filter(isHidden).sort(alertOrder);
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
            <SeenAlert key={alert.alertId} {...props} alert={alert} />
          ))}
        </ul>
        {hidden.length > 0 && (
          <details class="hidden-alerts">
            <summary class="sub-head">{format.text("hiddenAlerts", { n: hidden.length })}</summary>
            <ul class="put-away">
              {hidden.map((alert) => (
                <HiddenAlert key={alert.alertId} {...props} alert={alert} />
              ))}
            </ul>
          </details>
        )}
      </div>
    </section>
  );
}
