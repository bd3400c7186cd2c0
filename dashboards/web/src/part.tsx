// A part of a point's page.
import type { ComponentChildren } from "preact";
import type { PointState } from "../../../protocol/schema/index.ts";
import type { Format } from "./format.ts";

export interface PartProps {
  readonly point: PointState;
  readonly nowMs: number;
  readonly format: Format;
  /** May this person enter something? */
  readonly mayAct: boolean;
}

export interface PartFrame {
  readonly id: string;
  readonly title: string;
  /** How old it is and who says it: read before the figure. */
  readonly said?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Part({ id, title, said, children }: PartFrame) {
  return (
    <section class={`part part-${id}`} aria-labelledby={`part-${id}`}>
      <div class="part-head">
        <h3 id={`part-${id}`}>{title}</h3>
        {said}
      </div>
      {children}
    </section>
  );
}
