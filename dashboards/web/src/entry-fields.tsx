// The fields of each kind of report.
import type { Phase, PointState } from "../../../protocol/schema/index.ts";
import { type Draft, GENERATORS, MAINS, NEW_DELIVERY, SUPPLIES, type SupplyName } from "./entry-draft.ts";
import { change } from "./entry-store.ts";
import { Choices, describedBy, Field, TextField } from "./field.tsx";
import type { Format } from "./format.ts";
import { coded, PHASES, phaseWord } from "./words.ts";

export interface FieldsProps {
  readonly draft: Draft;
  readonly point: PointState | undefined;
  readonly format: Format;
  readonly errorOf: (field: string) => string | undefined;
}

export function StatementFields(props: FieldsProps) {
  switch (props.draft.what) {
    case "phase":
      return <PhaseField {...props} />;
    case "count":
      return <CountField {...props} />;
    case "dip":
      return <DipFields {...props} />;
    case "delivery":
      return <DeliveryFields {...props} />;
    case "power":
      return <PowerFields {...props} />;
    case "supplies":
      return <SupplyFields {...props} />;
    case "note":
    case "":
      return null;
  }
}

function PhaseField({ draft, format, errorOf }: FieldsProps) {
  return (
    <Choices
      id="phase"
      name="phase"
      label={format.text("fieldPhase")}
      error={errorOf("phase-standby")}
      choices={PHASES.map((phase) => ({ value: phase, label: phaseWord(phase, format) }))}
      value={draft.phase}
      onValue={(phase) => change({ phase: phase as Phase })}
    />
  );
}

function CountField({ draft, format, errorOf }: FieldsProps) {
  return (
    <TextField
      id="people"
      label={format.text("fieldPeople")}
      hint={format.text("fieldPeopleHint")}
      error={errorOf("people")}
      mode="numeric"
      isNarrow
      value={draft.people}
      onValue={(people) => change({ people })}
    />
  );
}

function DipFields({ draft, format, errorOf }: FieldsProps) {
  const field = { id: "dip", label: format.text("fieldDip"), hint: format.text("fieldDipHint") };
  return (
    <fieldset class="field" aria-describedby={describedBy(field)}>
      <legend>{field.label}</legend>
      <span class="hint" id="dip-hint">
        {field.hint}
      </span>
      <div class="side-by-side">
        <TextField
          id="dip-litres"
          label={format.text("litres")}
          error={errorOf("dip-litres")}
          mode="decimal"
          isNarrow
          value={draft.dipLitres}
          onValue={(dipLitres) => change({ dipLitres })}
        />
        <TextField
          id="dip-mm"
          label={format.text("millimetres")}
          error={errorOf("dip-mm")}
          mode="decimal"
          isNarrow
          value={draft.dipMm}
          onValue={(dipMm) => change({ dipMm })}
        />
      </div>
    </fieldset>
  );
}

/** Deliveries that the sensor saw and nobody said anything of. */
export function detectedOf(point: PointState | undefined) {
  return (point?.deliveries ?? []).filter((delivery) => delivery.state === "detected");
}

function DeliveryFields({ draft, point, format, errorOf }: FieldsProps) {
  const detected = detectedOf(point);
  const choices = detected.map(({ deliveryId, at, measuredL }) => {
    const time = format.moment(Date.parse(at));
    const label =
      measuredL === undefined
        ? format.text("deliverySeen", { time })
        : format.text("deliveryOf", { time, n: format.whole(measuredL) });
    return { value: deliveryId, label };
  });
  return (
    <>
      <TextField
        id="litres"
        label={format.text("fieldLitres")}
        hint={format.text("fieldLitresHint")}
        error={errorOf("litres")}
        mode="decimal"
        isNarrow
        value={draft.litres}
        onValue={(litres) => change({ litres })}
      />
      {detected.length > 0 && (
        <Choices
          id="delivery"
          name="delivery"
          label={format.text("fieldDelivery")}
          hint={format.text("fieldDeliveryHint")}
          error={errorOf(`delivery-${detected[0]?.deliveryId}`)}
          choices={[...choices, { value: NEW_DELIVERY, label: format.text("deliveryNew") }]}
          value={draft.delivery}
          onValue={(delivery) => change({ delivery })}
        />
      )}
    </>
  );
}

function PowerFields({ draft, format, errorOf }: FieldsProps) {
  const choices = (words: readonly string[]) => [
    ...words.map((word) => ({ value: word, label: coded(format, "word", word) })),
    { value: "", label: format.text("notSaid") },
  ];
  return (
    <>
      <Choices
        id="mains"
        name="mains"
        label={format.text("fieldMains")}
        error={errorOf("mains-present")}
        choices={choices(MAINS)}
        value={draft.mains}
        onValue={(mains) => change({ mains })}
      />
      <Choices
        id="generator"
        name="generator"
        label={format.text("fieldGenerator")}
        choices={choices(GENERATORS)}
        value={draft.generator}
        onValue={(generator) => change({ generator })}
      />
      <div class="side-by-side">
        <TextField
          id="load"
          label={format.text("fieldLoad")}
          error={errorOf("load")}
          mode="decimal"
          isNarrow
          value={draft.loadKw}
          onValue={(loadKw) => change({ loadKw })}
        />
        <TextField
          id="charge"
          label={format.text("fieldCharge")}
          error={errorOf("charge")}
          mode="decimal"
          isNarrow
          value={draft.charge}
          onValue={(charge) => change({ charge })}
        />
      </div>
    </>
  );
}

function SupplyFields({ draft, format, errorOf }: FieldsProps) {
  const setScore = (name: SupplyName, score: string) => change({ scores: { ...draft.scores, [name]: score } });
  return (
    <fieldset class="field" aria-describedby="scores-hint">
      <legend>{format.text("fieldScores")}</legend>
      <span class="hint" id="scores-hint">
        {format.text("fieldScoresHint")}
      </span>
      <div class="scores">
        {SUPPLIES.map((name) => (
          <TextField
            key={name}
            id={`score-${name}`}
            label={coded(format, "supply", name)}
            error={errorOf(`score-${name}`)}
            mode="numeric"
            isNarrow
            value={draft.scores[name] ?? ""}
            onValue={(score) => setScore(name, score)}
          />
        ))}
      </div>
    </fieldset>
  );
}

export function NoteField({ draft, format, errorOf }: FieldsProps) {
  const field = {
    id: "note",
    label: format.text(draft.what === "note" ? "fieldNote" : "fieldNoteOptional"),
    hint: format.text("fieldNoteHint"),
    error: errorOf("note"),
  };
  return (
    <Field {...field}>
      <textarea
        id="note"
        rows={draft.what === "note" ? 4 : 2}
        value={draft.note}
        aria-describedby={describedBy(field)}
        aria-invalid={field.error === undefined ? undefined : true}
        onInput={(event) => change({ note: event.currentTarget.value })}
      />
    </Field>
  );
}
