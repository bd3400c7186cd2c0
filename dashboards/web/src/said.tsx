// Age first, then who says it: under every figure of a point's page. What people told has its own shape, too.
import type { Format } from "./format.ts";
import { type Source, sourceWord } from "./words.ts";

/** A speech balloon: told by people, not measured. */
export function ToldMark({ format }: { format: Format }) {
  return (
    <>
      <svg class="told-mark" width="13" height="12" viewBox="0 0 13 12" aria-hidden="true">
        <path d="M1.5 1.5h10v6.5h-5.5l-2.7 2.7v-2.7h-1.8z" />
      </svg>
      <span class="vh">{` ${format.text("toldByPeople")} `}</span>
    </>
  );
}

export interface SaidProps extends Source {
  readonly at: string;
  readonly nowMs: number;
  readonly format: Format;
  readonly isOld?: boolean;
}

export function Said({ at, nowMs, format, isOld, ...source }: SaidProps) {
  const ms = Date.parse(at);
  return (
    <p class={`said${isOld === true ? " old" : ""}`}>
      {source.told !== undefined && <ToldMark format={format} />}
      <time dateTime={at} title={format.farMoment(ms, nowMs)}>
        {format.text("ago", { age: format.age(nowMs - ms) })}
      </time>
      {` · ${sourceWord(source, format)}`}
    </p>
  );
}
