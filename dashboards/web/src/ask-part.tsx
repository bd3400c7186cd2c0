// Asking for help from a point's page: what a point asks by radio, runner or on the spot, as a button there would.
import { useState } from "preact/hooks";
import type { HelpRequest, NewHelpRequest, RequestKind } from "../../../protocol/schema/index.ts";
import { askForHelp } from "./actions.ts";
import { newEntryId } from "./entry-store.ts";
import { Choices, Field, TextField } from "./field.tsx";
import { Part, type PartProps } from "./part.tsx";
import { detailWords, isOpenRequest, requestOrder } from "./request-order.ts";
import { hrefOf } from "./route.ts";
import { coded } from "./words.ts";

const KINDS: readonly RequestKind[] = ["medical", "fuel", "water", "staff", "police", "technical"];
const VIAS = ["voice", "runner", "visit", "screen"] as const;
const HOURS = [1, 2, 4, 8, 12, 24];
const HOUR_MS = 3_600_000;

interface Draft {
  readonly kind: RequestKind;
  readonly via: (typeof VIAS)[number];
  readonly quantity: string;
  readonly hours: string;
  readonly note: string;
}

const EMPTY: Draft = { kind: "fuel", via: "voice", quantity: "", hours: "", note: "" };

/** Undefined for what is no number above zero. */
function quantityOf(text: string): number | undefined {
  const value = Number(text.trim().replace(",", "."));
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** What is sent, or what is wrong with it. */
function askOf(draft: Draft, requestId: string, nowMs: number): NewHelpRequest | "quantity" {
  const hasQuantity = COUNTED[draft.kind] !== undefined && draft.quantity.trim() !== "";
  const quantity = hasQuantity ? quantityOf(draft.quantity) : undefined;
  if (hasQuantity && (quantity === undefined || (draft.kind === "staff" && !Number.isInteger(quantity))))
    return "quantity";
  const note = draft.note.trim();
  const neededBy = draft.hours === "" ? undefined : new Date(nowMs + Number(draft.hours) * HOUR_MS).toISOString();
  return {
    ...{ requestId, kind: draft.kind, via: draft.via },
    ...(quantity === undefined ? {} : { quantity }),
    ...(neededBy === undefined ? {} : { neededBy }),
    ...(note === "" ? {} : { note }),
  };
}

const COUNTED: Readonly<Partial<Record<RequestKind, "askQuantityL" | "askQuantityPeople">>> = {
  fuel: "askQuantityL",
  water: "askQuantityL",
  staff: "askQuantityPeople",
};

export function AskPart({ requests, ...props }: PartProps & { readonly requests: readonly HelpRequest[] }) {
  const { point, nowMs, format, mayAct } = props;
  const open = requests.filter((one) => isOpenRequest(one) && one.pointId === point.pointId).sort(requestOrder);
  return (
    <Part id="requests" title={format.text("requestsTitle")}>
      {open.length === 0 && <p class="sub">{format.text("requestsNone")}</p>}
      <ul class="plain">
        {open.map((request) => (
          <li key={request.requestId}>
            <a href={hrefOf({ kind: "requests" })}>{coded(format, "request", request.kind)}</a>
            {` · ${coded(format, "request", request.state)} · ${format.age(nowMs - Date.parse(request.askedAt))}`}
            <span class="sub">{detailWords(request, nowMs, format)}</span>
          </li>
        ))}
      </ul>
      {mayAct && <AskForm {...props} />}
    </Part>
  );
}

function AskForm({ point, nowMs, format }: PartProps) {
  const [draft, setDraft] = useState(EMPTY);
  // One id until it is answered: sent twice it asks once.
  const [requestId, setRequestId] = useState(newEntryId);
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part });
    setSaid("");
  };
  const send = async () => {
    const ask = askOf(draft, requestId, nowMs);
    if (ask === "quantity") return setProblem("quantity");
    setBusy(true);
    const outcome = await askForHelp(point.pointId, ask);
    setBusy(false);
    if (outcome.kind === "failed")
      return setProblem(format.text("failed", { what: outcome.what || format.text("unreachableShort") }));
    setProblem("");
    setDraft(EMPTY);
    setRequestId(newEntryId());
    setSaid(format.text("askDone"));
  };
  return (
    <details class="ask">
      <summary>{format.text("askTitle")}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <AskFields draft={draft} problem={problem} onChange={change} nowMs={nowMs} format={format} />
        {problem !== "" && problem !== "quantity" && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          {format.text("askSend")}
        </button>
        <p role="status">{said}</p>
      </form>
    </details>
  );
}

interface FieldsProps extends Pick<PartProps, "nowMs" | "format"> {
  readonly draft: Draft;
  readonly problem: string;
  readonly onChange: (part: Partial<Draft>) => void;
}

function AskFields({ draft, problem, onChange, nowMs, format }: FieldsProps) {
  const counted = COUNTED[draft.kind];
  return (
    <>
      <Choices
        id="ask-kind"
        name="ask-kind"
        label={format.text("askKind")}
        value={draft.kind}
        choices={KINDS.map((value) => ({ value, label: coded(format, "request", value) }))}
        onValue={(kind) => onChange({ kind: kind as RequestKind })}
      />
      {counted !== undefined && (
        <TextField
          id="ask-quantity"
          label={format.text(counted)}
          value={draft.quantity}
          mode="decimal"
          isNarrow
          error={problem === "quantity" ? format.text("askQuantityFault") : undefined}
          onValue={(quantity) => onChange({ quantity })}
        />
      )}
      <Field id="ask-by" label={format.text("askBy")}>
        <select id="ask-by" value={draft.hours} onChange={(event) => onChange({ hours: event.currentTarget.value })}>
          <option value="">{format.text("askByAny")}</option>
          {HOURS.map((n) => (
            <option key={n} value={String(n)}>
              {format.text("askByHours", { n, time: format.moment(nowMs + n * HOUR_MS) })}
            </option>
          ))}
        </select>
      </Field>
      <Choices
        id="ask-via"
        name="ask-via"
        label={format.text("askVia")}
        value={draft.via}
        choices={VIAS.map((value) => ({ value, label: coded(format, "via", value) }))}
        onValue={(via) => onChange({ via: via as Draft["via"] })}
      />
      <TextField
        id="ask-note"
        label={format.text("note")}
        hint={format.text("requestNoteHint")}
        value={draft.note}
        onValue={(note) => onChange({ note })}
      />
    </>
  );
}
