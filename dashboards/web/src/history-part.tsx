// The last 72 hours of fuel and people as lines with their gaps, and as a table.
import { useEffect, useState } from "preact/hooks";
import type { PointHistory } from "../../../protocol/schema/index.ts";
import { FUEL_FIELD, PEOPLE_FIELD, pointHistory } from "./actions.ts";
import { type Frame, hourRows, type Line, linesOf, niceTop, pathOf, summaryOf, xOf, yOf } from "./chart.ts";
import type { Format } from "./format.ts";
import { Part, type PartProps } from "./part.tsx";

const WIDTH = 720;
const HEIGHT = 96;
const HOUR_MS = 3_600_000;

export function HistoryPart({ point, format, turn }: PartProps & { readonly turn: number }) {
  const { pointId, capacity } = point;
  const [history, setHistory] = useState<PointHistory | "none" | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    void pointHistory(pointId).then((found) => {
      if (isCurrent) setHistory(found ?? "none");
    });
    return () => {
      isCurrent = false;
    };
  }, [pointId, turn]);
  const title = format.text("chartTitle");
  if (history === undefined || history === "none" || history.pointId !== pointId)
    return (
      <Part id="history" title={title}>
        <p>{format.text(history === "none" ? "notLoaded" : "loading")}</p>
      </Part>
    );
  const [fuel, people] = [linesOf(history, FUEL_FIELD), linesOf(history, PEOPLE_FIELD)];
  const isEmpty = fuel.length === 0 && people.length === 0;
  return (
    <Part id="history" title={title}>
      {history.damaged > 0 && <p class="old">{format.text("chartDamaged", { n: history.damaged })}</p>}
      {isEmpty && <p>{format.text("chartEmpty")}</p>}
      {fuel.length > 0 && (
        <Chart what={format.text("chartFuel")} lines={fuel} history={history} top={100} format={format} />
      )}
      {people.length > 0 && (
        <Chart
          what={format.text("chartPeople")}
          lines={people}
          history={history}
          top={niceTop(Math.max(capacity ?? 0, summaryOf(people)?.high ?? 0))}
          mark={capacity}
          format={format}
        />
      )}
      {!isEmpty && <HistoryTable fuel={fuel} people={people} history={history} format={format} />}
    </Part>
  );
}

interface ChartProps {
  readonly what: string;
  readonly lines: readonly Line[];
  readonly history: PointHistory;
  readonly top: number;
  readonly mark?: number | undefined;
  readonly format: Format;
}

/** Midnights and noons of the clock here. */
function ticksOf(frame: Frame, format: Format): readonly { readonly ms: number; readonly isMidnight: boolean }[] {
  const ticks = [];
  for (let ms = Math.ceil(frame.fromMs / HOUR_MS) * HOUR_MS; ms < frame.toMs; ms += HOUR_MS) {
    const hour = Number(format.hourOfDay(ms));
    if (hour % 12 === 0) ticks.push({ ms, isMidnight: hour === 0 });
  }
  return ticks;
}

function Chart({ what, lines, history, top, mark, format }: ChartProps) {
  const [fromMs, toMs] = [Date.parse(history.from), Date.parse(history.to)];
  const frame: Frame = { width: WIDTH, height: HEIGHT, fromMs, toMs, top };
  const summary = summaryOf(lines);
  const label =
    summary === undefined
      ? what
      : format.text("chartLabel", {
          what,
          from: format.moment(fromMs),
          until: format.moment(toMs),
          low: format.decimal(summary.low),
          high: format.decimal(summary.high),
          last: format.decimal(summary.last),
          gaps: summary.gaps,
        });
  const hasMark = mark !== undefined && mark > 0 && mark <= top;
  return (
    <figure class="chart">
      <figcaption>
        <b>{what}</b>
        {summary !== undefined && ` ${format.decimal(summary.last)}`}
        {hasMark && <span class="sub-inline">{` - - ${format.text("chartCapacity", { n: format.whole(mark) })}`}</span>}
      </figcaption>
      <div class="chart-with-scale">
        <div class="scale" aria-hidden="true">
          <span>{format.whole(top)}</span>
          <span>{format.whole(top / 2)}</span>
          <span>0</span>
        </div>
        <div class="plot">
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
            <path class="half" d={`M0 ${HEIGHT / 2}H${WIDTH}`} />
            {ticksOf(frame, format).map(({ ms, isMidnight }) => (
              <path key={ms} class={isMidnight ? "midnight" : "half"} d={`M${xOf(frame, ms)} 0V${HEIGHT}`} />
            ))}
            {hasMark && <path class="capacity" d={`M0 ${yOf(frame, mark)}H${WIDTH}`} />}
            {lines.map((line, i) =>
              line.runs.map((run) => (
                <path
                  key={`${line.deviceId} ${run[0]?.ms}`}
                  class={`line line-${i % 3}${run.length === 1 ? " lone" : ""}`}
                  d={pathOf(run, frame)}
                />
              )),
            )}
          </svg>
          <div class="hours" aria-hidden="true">
            {ticksOf(frame, format).map(({ ms, isMidnight }) => {
              const pct = (xOf(frame, ms) / WIDTH) * 100;
              if (pct < 2 || pct > 97) return null;
              return (
                <span key={ms} class={isMidnight ? "" : "noon"} style={{ left: `${pct}%` }}>
                  {isMidnight ? format.weekday(ms) : format.hourOfDay(ms)}
                </span>
              );
            })}
          </div>
        </div>
      </div>
    </figure>
  );
}

interface TableProps {
  readonly fuel: readonly Line[];
  readonly people: readonly Line[];
  readonly history: PointHistory;
  readonly format: Format;
}

function HistoryTable({ fuel, people, history, format }: TableProps) {
  const lines = [...fuel, ...people];
  const heads = [
    ...fuel.map((line) => ({ line, what: format.text("chartFuel") })),
    ...people.map((line) => ({ line, what: format.text("chartPeople") })),
  ];
  return (
    <details>
      <summary>{format.text("chartTable")}</summary>
      <div class="wide-table">
        <table>
          <thead>
            <tr>
              <th>{format.text("colTime")}</th>
              {heads.map(({ line, what }) => (
                <th key={`${what} ${line.deviceId}`} class="figure-col">
                  {what} <span class="sub">{line.deviceId}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {hourRows(history, lines).map((row) => (
              <tr key={row.ms}>
                <th scope="row">{format.moment(row.ms)}</th>
                {row.values.map((value, i) => (
                  <td key={`${lines[i]?.deviceId} ${heads[i]?.what}`} class="figure-col">
                    {value === undefined ? <span class="sub-inline">{format.text("gap")}</span> : format.decimal(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
