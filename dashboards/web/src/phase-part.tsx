// In which phase a point is, since when and who says so; and the next ones, in two presses.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Phase } from "../../../protocol/schema/index.ts";
import type { Format } from "./format.ts";
import { Part, type PartProps } from "./part.tsx";
import { useQuickEntry } from "./quick-entry.ts";
import { Said } from "./said.tsx";
import { nextPhases, PHASES, phaseWord } from "./words.ts";

export function PhasePart({ point, nowMs, format, mayAct }: PartProps) {
  const since = point.phaseSince;
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
      {mayAct && <PhaseButtons pointId={point.pointId} phase={point.phase} format={format} />}
    </Part>
  );
}

function PhaseButtons({ pointId, phase: now, format }: { pointId: string; phase: string; format: Format }) {
  const [wanted, setWanted] = useState<Phase | undefined>(undefined);
  const [done, setDone] = useState("");
  const { isBusy, problem, tell } = useQuickEntry(pointId, format);
  const buttons = useRef<HTMLDivElement>(null);
  const hasAsked = useRef(false);
  // Buttons that go take the focus along: it goes on to those that come.
  useLayoutEffect(() => {
    if (wanted !== undefined || hasAsked.current) buttons.current?.querySelector("button")?.focus();
    hasAsked.current = wanted !== undefined;
  }, [wanted]);
  const want = (phase: Phase) => {
    setDone("");
    setWanted(phase);
  };
  const set = async (phase: Phase) => {
    if (!(await tell({ kind: "phase", phase }))) return;
    setWanted(undefined);
    setDone(format.text("phaseSet", { phase: phaseWord(phase, format) }));
  };
  return (
    <>
      <div class="buttons" ref={buttons}>
        {wanted === undefined ? (
          <Choice now={now} onWant={want} format={format} />
        ) : (
          <>
            <button type="button" class="primary" aria-disabled={isBusy} onClick={() => void set(wanted)}>
              {format.text("phaseConfirm", { phase: phaseWord(wanted, format) })}
            </button>
            <button type="button" onClick={() => setWanted(undefined)}>
              {format.text("cancel")}
            </button>
          </>
        )}
      </div>
      <p class="problem" role="alert">
        {problem}
      </p>
      <p class="chosen" role="status">
        {done}
      </p>
    </>
  );
}

/** What usually follows; all others behind one more press. */
function Choice({ now, onWant, format }: { now: string; onWant: (phase: Phase) => void; format: Format }) {
  const [isWide, setWide] = useState(false);
  const next = nextPhases(now);
  const others = PHASES.filter((phase) => phase !== now && !next.includes(phase));
  return (
    <>
      <span class="buttons-word">{format.text("phaseNext")}</span>
      {[...next, ...(isWide ? others : [])].map((phase) => (
        <button key={phase} type="button" onClick={() => onWant(phase)}>
          {phaseWord(phase, format)}
        </button>
      ))}
      {!isWide && (
        <button type="button" class="link" onClick={() => setWide(true)}>
          {format.text("phaseOther")}…
        </button>
      )}
    </>
  );
}
