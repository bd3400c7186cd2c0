// In which phase a point is, since when and who says so; and the next ones, in two presses.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Phase } from "../../../protocol/schema/index.ts";
import { Part, type PartProps } from "./part.tsx";
import { useQuickEntry } from "./quick-entry.ts";
import { Said } from "./said.tsx";
import { nextPhases, PHASES, phaseWord } from "./words.ts";

export function PhasePart({ point, nowMs, format, mayAct }: PartProps) {
  const [wanted, setWanted] = useState<Phase | undefined>(undefined);
  const [isWide, setWide] = useState(false);
  const [done, setDone] = useState("");
  const { isBusy, problem, tell } = useQuickEntry(point.pointId, format);
  const buttons = useRef<HTMLDivElement>(null);
  const hasAsked = useRef(false);
  // Buttons that go take the focus along: it goes on to those that come.
  useLayoutEffect(() => {
    if (wanted !== undefined || hasAsked.current) buttons.current?.querySelector("button")?.focus();
    hasAsked.current = wanted !== undefined;
  }, [wanted]);
  const next = nextPhases(point.phase);
  const others = PHASES.filter((phase) => phase !== point.phase && !next.includes(phase));
  const since = point.phaseSince;
  const set = async (phase: Phase) => {
    if (!(await tell({ kind: "phase", phase }))) return;
    setWanted(undefined);
    setWide(false);
    setDone(format.text("phaseSet", { phase: phaseWord(phase, format) }));
  };
  return (
    <Part
      id="phase"
      title={format.text("phaseTitle")}
      said={since !== undefined && <Said {...since} nowMs={nowMs} format={format} />}
    >
      <p class="figure">
        {phaseWord(point.phase, format)}{" "}
        {since !== undefined && (
          <small>{format.text("phaseSince", { time: format.farMoment(Date.parse(since.at), nowMs) })}</small>
        )}
      </p>
      {mayAct && wanted === undefined && (
        <div class="buttons" ref={buttons}>
          <span class="buttons-word">{format.text("phaseNext")}</span>
          {[...next, ...(isWide ? others : [])].map((phase) => (
            <button
              key={phase}
              type="button"
              onClick={() => {
                setDone("");
                setWanted(phase);
              }}
            >
              {phaseWord(phase, format)}
            </button>
          ))}
          {!isWide && (
            <button type="button" class="link" onClick={() => setWide(true)}>
              {format.text("phaseOther")}…
            </button>
          )}
        </div>
      )}
      {wanted !== undefined && (
        <div class="buttons">
          <button type="button" class="primary" aria-disabled={isBusy} ref={confirm} onClick={() => void set(wanted)}>
            {format.text("phaseConfirm", { phase: phaseWord(wanted, format) })}
          </button>
          <button type="button" onClick={() => setWanted(undefined)}>
            {format.text("cancel")}
          </button>
        </div>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
      <p class="chosen" role="status">
        {done}
      </p>
    </Part>
  );
}
