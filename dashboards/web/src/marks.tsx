// Status marks: shape, number, colour and word together; never colour alone.
import type { PointState } from "../../../protocol/schema/index.ts";
import type { Format } from "./format.ts";
import { isUnheard } from "./order.ts";

export type MarkKind = 0 | 1 | 2 | 3 | "silent";

export function markOf(point: PointState): MarkKind {
  return isUnheard(point) && point.priority !== 1 ? "silent" : point.priority;
}

export function markWord(kind: MarkKind, format: Format): string {
  if (kind === "silent") return format.text("noContact");
  return format.text(`priority${kind}`);
}

export function Mark({ kind, format }: { kind: MarkKind; format: Format }) {
  return (
    <>
      <svg class={`mark mark-${kind}`} width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        {kind === 1 && <rect x="1.5" y="1.5" width="17" height="17" rx="1.5" />}
        {kind === 2 && <path d="M10 1.2 19 18.4H1Z" />}
        {kind === 3 && <path d="M10 .8 19.2 10 10 19.2 .8 10Z" />}
        {kind === 0 && <circle cx="10" cy="10" r="4" />}
        {kind === "silent" && (
          <>
            <circle cx="10" cy="10" r="8.2" />
            <path d="M4.2 15.8 15.8 4.2" class="slash" />
          </>
        )}
        {(kind === 1 || kind === 2 || kind === 3) && (
          <text x="10" y={kind === 2 ? 16 : 14.4} text-anchor="middle">
            {kind}
          </text>
        )}
      </svg>
      <span class="vh">{markWord(kind, format)}</span>
    </>
  );
}
