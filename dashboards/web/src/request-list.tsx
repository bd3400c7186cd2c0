// Requests for help: the work list of the coordination point. Who asked for what, how long ago, and who does something about it.
import { useEffect, useId, useState } from "preact/hooks";
import type { HelpRequest, PointState, RequestStepState, Session } from "../../../protocol/schema/index.ts";
import { fetchRequests, stepRequest } from "./actions.ts";
import type { Format } from "./format.ts";
import { Mark } from "./marks.tsx";
import { detailWords, isOpenRequest, requestOrder, stepsFor } from "./request-order.ts";
import { hrefOf } from "./route.ts";
import { coded } from "./words.ts";

export interface RequestListProps {
  readonly requests: readonly HelpRequest[];
  readonly points: ReadonlyMap<string, PointState>;
  readonly session: Session;
  readonly nowMs: number;
  readonly format: Format;
}

function History({ request, nowMs, format }: Pick<RequestListProps, "nowMs" | "format"> & { request: HelpRequest }) {
  return (
    <ol class="request-steps">
      {request.steps.map((step) => (
        <li key={`${step.state}-${step.at}`}>
          {`${format.farMoment(Date.parse(step.at), nowMs)} ${coded(format, "request", step.state)} · ${step.by} (${coded(format, "via", step.via)})`}
          {step.note === undefined ? "" : ` — ${step.note}`}
        </li>
      ))}
    </ol>
  );
}

function Acts({ request, format }: { readonly request: HelpRequest; readonly format: Format }) {
  const id = useId();
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const name = coded(format, "request", request.kind);
  const act = async (state: RequestStepState) => {
    const words = note.trim();
    if (state === "declined" && words === "") return setProblem(format.text("declineNeedsReason"));
    setBusy(true);
    const outcome = await stepRequest(request.requestId, { state, ...(words === "" ? {} : { note: words }) });
    setBusy(false);
    if (outcome.kind === "done") setNote("");
    setProblem(
      outcome.kind === "done" ? "" : format.text("failed", { what: outcome.what || format.text("unreachableShort") }),
    );
  };
  return (
    <div class="request-acts">
      <label for={`${id}-note`}>
        {format.text("requestNote")}
        <span class="vh">{` (${name}, ${request.pointId})`}</span>
      </label>
      <input
        id={`${id}-note`}
        value={note}
        maxLength={280}
        placeholder={format.text("requestNoteHint")}
        autocomplete="off"
        aria-invalid={problem === "" ? undefined : true}
        aria-describedby={problem === "" ? undefined : `${id}-problem`}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      {problem !== "" && (
        <p id={`${id}-problem`} class="error" role="alert">
          {problem}
        </p>
      )}
      <div class="acts">
        {stepsFor(request).map((state, i) => (
          <button
            key={state}
            type="button"
            class={i === 0 ? "primary" : "secondary"}
            disabled={busy}
            aria-label={`${coded(format, "do", state)}: ${name}, ${request.pointId}`}
            onClick={() => void act(state)}
          >
            {coded(format, "do", state)}
          </button>
        ))}
      </div>
    </div>
  );
}

function Request({ request, points, session, nowMs, format }: RequestListProps & { request: HelpRequest }) {
  const { pointId, kind, state, askedAt } = request;
  const isAsked = state === "asked";
  const details = detailWords(request, nowMs, format);
  const level = kind === "medical" || kind === "police" ? 1 : 2;
  return (
    <li class={`request request-${state}`} data-request={request.requestId}>
      <p class="request-head">
        <time dateTime={askedAt}>{format.age(nowMs - Date.parse(askedAt))}</time>
        {isAsked && <Mark kind={level} format={format} />}
        <strong>{coded(format, "request", kind)}</strong>
        <a href={hrefOf({ kind: "point", pointId })}>{points.get(pointId)?.name ?? pointId}</a>
        <span class="request-state">{coded(format, "request", state)}</span>
      </p>
      {details !== "" && <p class={request.late === true ? "request-late" : ""}>{details}</p>}
      <History request={request} nowMs={nowMs} format={format} />
      {session.role !== "viewer" && isOpenRequest(request) && <Acts request={request} format={format} />}
    </li>
  );
}

function Group({ title, requests, ...props }: RequestListProps & { readonly title: string }) {
  if (requests.length === 0) return null;
  return (
    <>
      <h3 class="sub-head">{title}</h3>
      <ul class="request-list">
        {requests.map((request) => (
          <Request key={request.requestId} {...props} requests={requests} request={request} />
        ))}
      </ul>
    </>
  );
}

export function RequestPage(props: RequestListProps) {
  const { requests, format } = props;
  useEffect(() => {
    document.getElementById("page-title")?.focus();
    window.scrollTo(0, 0);
    void fetchRequests();
  }, []);
  const sorted = [...requests].sort(requestOrder);
  const asked = sorted.filter(({ state }) => state === "asked");
  const taken = sorted.filter((one) => isOpenRequest(one) && one.state !== "asked");
  const closed = sorted
    .filter((one) => !isOpenRequest(one))
    .sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
  return (
    <main class="page requests">
      <div class="point-head">
        <h2 id="page-title" tabIndex={-1}>
          {format.text("requestsTitle")}
        </h2>
        <button type="button" class="secondary print-button" onClick={() => window.print()}>
          {format.text("requestsPrint")}
        </button>
      </div>
      {asked.length + taken.length === 0 && <p>{format.text("requestsNone")}</p>}
      <Group {...props} requests={asked} title={format.text("requestsAsked", { n: asked.length })} />
      <Group {...props} requests={taken} title={format.text("requestsTaken", { n: taken.length })} />
      {closed.length > 0 && (
        <details class="requests-closed">
          <summary>{format.text("requestsClosed", { n: closed.length })}</summary>
          <ul class="request-list">
            {closed.map((request) => (
              <Request key={request.requestId} {...props} request={request} />
            ))}
          </ul>
        </details>
      )}
    </main>
  );
}
