// Type to find a point: a combobox with its list, by keyboard as by hand.
import { useState } from "preact/hooks";
import type { PointState } from "../../../protocol/schema/index.ts";
import { describedBy, Field } from "./field.tsx";
import { findPoints } from "./find-points.ts";
import type { Format } from "./format.ts";
import { phaseWord } from "./words.ts";

export interface PickerProps {
  readonly points: readonly PointState[];
  readonly text: string;
  readonly pointId: string | undefined;
  readonly onChange: (text: string, pointId: string | undefined) => void;
  readonly error: string | undefined;
  readonly format: Format;
}

export function PointPicker(props: PickerProps) {
  const { points, text, pointId, onChange, error, format } = props;
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const found = text.trim() === "" ? [] : findPoints(points, text);
  const isShown = isOpen && pointId === undefined && text.trim() !== "";
  const choose = (point: PointState) => {
    onChange(point.name, point.pointId);
    setOpen(false);
  };
  const onKey = (event: KeyboardEvent) => {
    const point = found[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (found.length > 0) setActive((active + step + found.length) % found.length);
    } else if (event.key === "Enter" && isShown && point !== undefined) {
      event.preventDefault();
      choose(point);
    } else if (event.key === "Escape" && isShown) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  const field = { id: "point", label: format.text("fieldPoint"), hint: format.text("fieldPointHint"), error };
  return (
    <div class="picker">
      <Field {...field}>
        <input
          id="point"
          role="combobox"
          value={text}
          autocomplete="off"
          maxLength={80}
          aria-expanded={isShown}
          aria-controls="point-list"
          aria-autocomplete="list"
          aria-activedescendant={isShown && found.length > 0 ? `point-option-${active}` : undefined}
          aria-describedby={`${describedBy(field) ?? ""} point-chosen`}
          aria-invalid={error === undefined ? undefined : true}
          onInput={(event) => {
            onChange(event.currentTarget.value, undefined);
            setActive(0);
            setOpen(true);
          }}
          onKeyDown={onKey}
          onBlur={() => {
            // What can only be one point is that point.
            const [only] = found;
            if (isShown && found.length === 1 && only !== undefined) choose(only);
            setOpen(false);
          }}
        />
      </Field>
      <Found found={isShown ? found : []} active={active} onChoose={choose} format={format} />
      <p id="point-chosen" class="chosen" role="status">
        {isShown
          ? found.length === 0
            ? format.text("pointNone")
            : format.text("pointMatches", { n: found.length })
          : chosenWords(points, pointId, format)}
      </p>
    </div>
  );
}

/** Enough to hear over the radio that it is the right one. */
function chosenWords(points: readonly PointState[], pointId: string | undefined, format: Format): string {
  const point = points.find((one) => one.pointId === pointId);
  if (point === undefined) return "";
  const { occupancy } = point;
  const people = occupancy === undefined ? [] : [format.text("said-people", { n: format.whole(occupancy.people) })];
  return [point.municipality, format.text(`kind-${point.kind}`), phaseWord(point.phase, format), ...people].join(" · ");
}

interface FoundProps {
  readonly found: readonly PointState[];
  readonly active: number;
  readonly onChoose: (point: PointState) => void;
  readonly format: Format;
}

function Found({ found, active, onChoose, format }: FoundProps) {
  return (
    <div id="point-list" role="listbox" aria-label={format.text("fieldPoint")} hidden={found.length === 0}>
      {found.map((point, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the input that holds the focus
        <div
          key={point.pointId}
          id={`point-option-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === active}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(point)}
        >
          <b>{point.name}</b> <span class="sub">{`${point.municipality} · ${phaseWord(point.phase, format)}`}</span>
        </div>
      ))}
    </div>
  );
}
