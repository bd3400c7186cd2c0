// The table of points: deviations first, the healthy as one strip, all of them on request. It never re-sorts under a hand.
import { useRef, useState } from "preact/hooks";
import type { PointState } from "../../../protocol/schema/index.ts";
import { type Axis, percentAt, ticksOf } from "./bars.ts";
import { EnduranceRow } from "./endurance-row.tsx";
import { type Format, hoursText } from "./format.ts";
import { byUrgency, isDeviating, margins } from "./order.ts";
import { ToldMark } from "./said.tsx";

export interface TableProps {
  readonly points: readonly PointState[];
  readonly axis: Axis;
  readonly format: Format;
  readonly showAll: boolean;
  readonly onShowAll: (all: boolean) => void;
  readonly selected: string | undefined;
  readonly onSelect: (pointId: string) => void;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  /** Rises when the person asks to sort again. */
  readonly sortAsked: number;
  readonly onSort: () => void;
}

export function AxisRow({ axis, format }: { axis: Axis; format: Format }) {
  return (
    <div class="axis" aria-hidden="true">
      {ticksOf(axis, format.hourOfDay).map((tick) => (
        <span key={tick.ms} class="tick" style={{ left: `${tick.pct}%` }}>
          {tick.isMidnight && <b>{format.weekday(tick.ms)} </b>}
          {format.hourOfDay(tick.ms)}
        </span>
      ))}
      <span class="now-word" style={{ left: `${Math.max(2, percentAt(axis, axis.nowMs))}%` }}>
        {format.text("now")}
      </span>
      {axis.goalMs <= axis.toMs && <span class="goal">{`72 ${format.text("hourUnit")}`}</span>}
    </div>
  );
}

function Legend({ format }: { format: Format }) {
  return (
    <div class="legend" aria-hidden="true">
      <span>
        <i class="key sure" /> {format.text("legendSure")}
      </span>
      <span>
        <i class="key may" /> {format.text("legendMay")}
      </span>
      <span>
        <i class="key empty" /> {format.text("legendEmpty")}
      </span>
      <span>
        <i class="key short" /> {format.text("legendShort")}
      </span>
      <span>
        <i class="key carried" /> {format.text("legendEstimate")}
      </span>
      <span>
        <ToldMark format={format} /> {format.text("told")}
      </span>
    </div>
  );
}

/** The order shown, and whether a better one waits. Held while the pointer or the focus is in the list. */
function useHeldOrder(
  wanted: readonly string[],
  isHeld: boolean,
  sortAsked: number,
): { readonly order: readonly string[]; readonly isStale: boolean } {
  const shown = useRef<{ order: readonly string[]; asked: number }>({ order: [], asked: 0 });
  const same = wanted.join() === shown.current.order.join();
  const members = (ids: readonly string[]) => [...ids].sort().join();
  const isNew = members(wanted) !== members(shown.current.order);
  if (!isHeld || isNew || shown.current.asked !== sortAsked) shown.current = { order: wanted, asked: sortAsked };
  return { order: shown.current.order, isStale: isHeld && !same && shown.current.order !== wanted };
}

export function EnduranceTable(props: TableProps) {
  const { points, axis, format, showAll, search } = props;
  const [isHeld, setHeld] = useState(false);
  const deviating = points.filter((point) => isDeviating(point, axis.isOutage));
  const needle = search.trim().toLowerCase();
  const matches = (point: PointState) =>
    `${point.name} ${point.municipality} ${point.pointId}`.toLowerCase().includes(needle);
  const listed = (needle !== "" ? points.filter(matches) : showAll ? [...points] : deviating).sort(byUrgency);
  const { order, isStale } = useHeldOrder(
    listed.map((point) => point.pointId),
    isHeld,
    props.sortAsked,
  );
  const byId = new Map(listed.map((point) => [point.pointId, point]));
  const rows = order.flatMap((id) => byId.get(id) ?? []);
  const isListed = rows.some((point) => point.pointId === props.selected);
  const normal = points.filter((point) => !isDeviating(point, axis.isOutage));
  return (
    <section class="endurance" aria-labelledby="endurance-title">
      <div class="head">
        <h2 id="endurance-title">{format.text("endurance")}</h2>
        <span>{format.text(isStale ? "deviatingN" : "deviating", { n: deviating.length })}</span>
        {isStale && (
          <button type="button" onClick={props.onSort}>
            {format.text("orderChanged")}
          </button>
        )}
        <Legend format={format} />
      </div>
      <div
        class="scroll"
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocusCapture={() => setHeld(true)}
        onBlurCapture={() => setHeld(false)}
      >
        <table>
          <TableHead axis={axis} format={format} />
          <tbody>
            {rows.map((point, i) => (
              <EnduranceRow
                key={point.pointId}
                point={point}
                axis={axis}
                format={format}
                isSelected={isListed ? props.selected === point.pointId : i === 0}
                onSelect={() => props.onSelect(point.pointId)}
              />
            ))}
          </tbody>
        </table>
        {points.length === 0 && <p class="nothing">{format.text("noPoints")}</p>}
      </div>
      <NormalStrip {...props} normal={normal} />
    </section>
  );
}

function NormalStrip(props: TableProps & { readonly normal: readonly PointState[] }) {
  const { axis, format, normal, search, showAll } = props;
  return (
    <div class="normal">
      <div>
        <b>{format.text("normalPoints", { n: normal.length })}</b>
        <span class="sub">{format.text("normalHint")}</span>
      </div>
      <Margins points={normal} axis={axis} format={format} />
      <label class="search">
        <span class="vh">{format.text("search")}</span>
        <input
          id="search"
          type="search"
          placeholder={format.text("search")}
          value={search}
          onInput={(event) => props.onSearch((event.currentTarget as HTMLInputElement).value)}
        />
      </label>
      <button type="button" onClick={() => props.onShowAll(!showAll)} aria-pressed={showAll}>
        {format.text(showAll ? "showFew" : "showAll")}
      </button>
    </div>
  );
}

function Margins({ points, axis, format }: { points: readonly PointState[]; axis: Axis; format: Format }) {
  const bars = margins(points, axis.nowMs, axis.goalMs);
  const most = Math.max(1, ...bars.map((bar) => bar.hours));
  const label = format.text("normalHint");
  return (
    <div class="margins" role="img" aria-label={`${label}: ${bars.map((bar) => hoursText(bar.hours)).join(", ")}`}>
      {bars.map((bar) => (
        <i
          key={bar.name}
          title={`${bar.name} +${hoursText(bar.hours)}`}
          style={{ height: `${Math.max(4, (bar.hours / most) * 100)}%` }}
        />
      ))}
    </div>
  );
}

function TableHead({ axis, format }: Pick<TableProps, "axis" | "format">) {
  return (
    <thead>
      <tr>
        <th class="c-mark">
          <span class="vh">{format.text("colStatus")}</span>
        </th>
        <th class="c-name">{format.text("colPoint")}</th>
        <th class="c-bar">
          <AxisRow axis={axis} format={format} />
        </th>
        <th class="c-hours">{format.text("colHours")}</th>
        <th class="c-source">{format.text("colSource")}</th>
        <th class="c-people">{format.text("colPeople")}</th>
        <th class="c-age">{format.text("colAge")}</th>
      </tr>
    </thead>
  );
}
