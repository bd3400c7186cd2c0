// A field of a form in the order of NL Design System: label, description, error, input.
import type { ComponentChildren } from "preact";

export interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
}

/** What describes an input, for aria-describedby. */
export function describedBy({ id, hint, error }: FieldProps): string | undefined {
  const ids = [...(hint === undefined ? [] : [`${id}-hint`]), ...(error === undefined ? [] : [`${id}-error`])];
  return ids.length === 0 ? undefined : ids.join(" ");
}

function Descriptions({ id, hint, error }: FieldProps) {
  return (
    <>
      {hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error !== undefined && (
        <span class="error" id={`${id}-error`}>
          <span aria-hidden="true">▲ </span>
          {error}
        </span>
      )}
    </>
  );
}

export function Field(props: FieldProps & { children: ComponentChildren }) {
  return (
    <div class={`field${props.error === undefined ? "" : " faulty"}`}>
      <label for={props.id}>{props.label}</label>
      <Descriptions {...props} />
      {props.children}
    </div>
  );
}

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly mode?: "numeric" | "decimal" | undefined;
  readonly isNarrow?: boolean;
}

/** Numbers too are text: a comma is theirs, and a wheel under the hand changes nothing. */
export function TextField(props: TextFieldProps) {
  return (
    <Field {...props}>
      <input
        id={props.id}
        class={props.isNarrow === true ? "narrow" : ""}
        value={props.value}
        inputMode={props.mode}
        autocomplete="off"
        maxLength={120}
        aria-describedby={describedBy(props)}
        aria-invalid={props.error === undefined ? undefined : true}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
    </Field>
  );
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface ChoicesProps extends FieldProps {
  readonly name: string;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** One of a few. The id of each input is `name-value`. */
export function Choices(props: ChoicesProps) {
  return (
    <fieldset
      class={`field${props.error === undefined ? "" : " faulty"}`}
      aria-describedby={describedBy(props)}
      aria-invalid={props.error === undefined ? undefined : true}
    >
      <legend>{props.label}</legend>
      <Descriptions {...props} />
      <div class="choices">
        {props.choices.map((choice) => (
          <label key={choice.value} class="choice">
            <input
              type="radio"
              id={`${props.name}-${choice.value}`}
              name={props.name}
              value={choice.value}
              checked={props.value === choice.value}
              onChange={() => props.onValue(choice.value)}
            />
            <span>{choice.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
