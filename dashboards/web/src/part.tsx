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

export function Part({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class={`part part-${id}`} aria-labelledby={`part-${id}`}>
      <h3 id={`part-${id}`}>{title}</h3>
      {children}
    </section>
  );
}
