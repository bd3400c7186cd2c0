// One point in the table: how long it can go on, of what it lives, who is there, how old all this is.
import type { PointState } from "../../../protocol/schema/index.ts";
import { type Axis, barOf, barPriority, hasRoomForWords, percentAt } from "./bars.ts";
import { type Format, hoursText } from "./format.ts";
import { Mark, markOf } from "./marks.tsx";
import type { TextKey } from "./nl.ts";
import { isUnheard } from "./order.ts";
import { hrefOf } from "./route.ts";
import { ToldMark } from "./said.tsx";
import { lastToldMs } from "./words.ts";

const REASONS: Readonly<Record<string, TextKey>> = {
  "no-data": "reasonNoData",
  "too-early": "reasonTooEarly",
  "bad-sensor": "reasonBadSensor",
  "no-backup": "reasonNoBackup",
  "no-device": "reasonNoDevice",
};

export function reasonWord(point: PointState, format: Format): string {
  const { endurance } = point;
  return endurance.kind === "none" ? format.text(REASONS[endurance.reason] ?? "unknownShort") : "";
}

function shortageText(point: PointState, format: Format): string {
  const { endurance } = point;
  if (endurance.kind === "none" || endurance.shortage === undefined) return "";
  const { hours, litres, kWh } = endurance.shortage;
  const amount =
    litres !== undefined ? ` · ${format.whole(litres)} l` : kWh !== undefined ? ` · ${format.decimal(kWh)} kWh` : "";
  return format.text("shortage", { time: hoursText(hours) }) + amount;
}

/** Where people can go instead; only told of a point that has no room. */
function roomWords({ roomAt }: PointState, format: Format): string[] {
  const first = roomAt?.[0];
  if (first === undefined) return [];
  return [format.text("roomFirst", { name: first.name, free: format.whole(first.free), km: format.decimal(first.km) })];
}

function subtitle(point: PointState, axis: Axis, format: Format): string {
  return [...roomWords(point, format), point.municipality, ...stateWords(point, axis, format)].join(" · ");
}

function stateWords(point: PointState, axis: Axis, format: Format): string[] {
  const { endurance } = point;
  if (point.contact === "silent" && point.lastReceivedAt !== undefined)
    return [format.text("contactSince", { time: format.moment(Date.parse(point.lastReceivedAt)) })];
  if (point.contact === "never") return [format.text("neverHeard")];
  if (endurance.kind === "none") return [isUnheard(point) ? format.text("nothingTold") : reasonWord(point, format)];
  if (endurance.reaches72h === "yes") return [format.text("makes72")];
  // The hour at which it is empty stands beside it in its own column.
  const short = shortageText(point, format);
  if (short !== "" && !hasRoomForWords(barOf(point, axis), axis)) return [short];
  return [format.text("runsDry", { time: format.moment(axis.nowMs + endurance.p50H * 3_600_000) })];
}

function sourceText(point: PointState, format: Format): { readonly main: string; readonly sub: string } {
  const names: Readonly<Record<PointState["source"], TextKey>> = {
    mains: "mains",
    generator: "generator",
    battery: "battery",
    none: "sourceNone",
    unknown: "sourceUnknown",
  };
  const { fuel, battery } = point;
  const sub =
    point.source === "battery" && battery !== undefined
      ? format.text("charge", { pct: format.whole(battery.stateOfChargePct) })
      : fuel !== undefined
        ? format.text("tank", { pct: format.whole(fuel.levelPct) })
        : battery !== undefined
          ? format.text("charge", { pct: format.whole(battery.stateOfChargePct) })
          : "";
  return { main: format.text(names[point.source]), sub };
}

export function EnduranceBar({ point, axis, format }: { point: PointState; axis: Axis; format: Format }) {
  const bar = barOf(point, axis);
  const { endurance } = point;
  const nowPct = percentAt(axis, axis.nowMs);
  if (bar === undefined || endurance.kind === "none") {
    const reason = reasonWord(point, format);
    return (
      <div class="bar none" role="img" aria-label={format.text("barNone", { name: point.name, reason })}>
        <i class="past" style={{ width: `${nowPct}%` }} />
        <span class="words">{reason}</span>
        <i class="now" style={{ left: `${nowPct}%` }} />
      </div>
    );
  }
  const label = format.text("barEstimate", {
    name: point.name,
    hours: hoursText(endurance.p50H),
    at: format.moment(axis.nowMs + endurance.p50H * 3_600_000),
    low: hoursText(endurance.p10H),
    high: hoursText(endurance.p90H),
  });
  const sureEnd = bar.pastPct + bar.surePct;
  return (
    <div
      class={`bar prio-${barPriority(point)}${endurance.carriedForward ? " carried" : ""}`}
      role="img"
      aria-label={label}
    >
      <i class="past" style={{ width: `${bar.pastPct}%` }} />
      <i class="sure" style={{ left: `${bar.pastPct}%`, width: `${bar.surePct}%` }} />
      <i class="may" style={{ left: `${sureEnd}%`, width: `${bar.mayPct}%` }} />
      {bar.shortFromPct !== undefined && (
        <i
          class="short"
          style={{ left: `${bar.shortFromPct}%`, width: `${percentAt(axis, axis.goalMs) - bar.shortFromPct}%` }}
        />
      )}
      {bar.emptyPct !== undefined && <i class="empty" style={{ left: `${bar.emptyPct}%` }} />}
      {hasRoomForWords(bar, axis) && (
        <span class="words">
          {endurance.carriedForward ? format.text("unknownShort") : shortageText(point, format)}
        </span>
      )}
      <i class="now" style={{ left: `${nowPct}%` }} />
    </div>
  );
}

export interface RowProps {
  readonly point: PointState;
  readonly axis: Axis;
  readonly format: Format;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

/** When something was last measured, or told of a point that measures nothing. */
function newestMs(point: PointState): number | undefined {
  const measured = point.lastSampleAt === undefined ? undefined : Date.parse(point.lastSampleAt);
  return measured ?? lastToldMs(point);
}

function PeopleCell({ point, format }: { point: PointState; format: Format }) {
  const { occupancy, capacity } = point;
  if (occupancy === undefined) return null;
  const { people, quality, plusMinus = 0, recount, told } = occupancy;
  const isOver = capacity !== undefined && people >= capacity;
  const sub = [
    ...(capacity === undefined ? [] : [format.text("of", { n: format.whole(capacity) })]),
    ...(recount === undefined ? [] : [format.text("recountShort")]),
  ];
  return (
    <>
      <span class="one-line">
        {told !== undefined && <ToldMark format={format} />}
        <span class={isOver ? "over" : ""}>
          {quality === "stale" ? "≈ " : ""}
          {format.whole(people)}
          {isOver && <span class="vh">{` ${format.text("capacityOver")}`}</span>}
        </span>
        {plusMinus > 0 && <span class="sub-inline">{` ±${plusMinus}`}</span>}
      </span>
      <span class="sub">{sub.join(" · ")}</span>
    </>
  );
}

export function EnduranceRow({ point, axis, format, isSelected, onSelect }: RowProps) {
  const { endurance } = point;
  const kind = markOf(point);
  const source = sourceText(point, format);
  const newest = newestMs(point);
  return (
    <tr
      class={isSelected ? "selected" : ""}
      tabIndex={isSelected ? 0 : -1}
      aria-selected={isSelected}
      data-point={point.pointId}
      onClick={onSelect}
      onFocus={onSelect}
    >
      <td class="c-mark">
        <Mark kind={kind} format={format} />
      </td>
      <th scope="row" class="c-name">
        <a class="name" tabIndex={isSelected ? 0 : -1} href={hrefOf({ kind: "point", pointId: point.pointId })}>
          {point.name}
        </a>
        <span class="sub">{subtitle(point, axis, format)}</span>
      </th>
      <td class="c-bar">
        <EnduranceBar point={point} axis={axis} format={format} />
      </td>
      <td class="c-hours">
        {endurance.kind === "estimate" ? (
          <>
            <b>{`${endurance.carriedForward ? "≈ " : ""}${hoursText(endurance.p50H)}`}</b>
            <span class="sub">{format.moment(axis.nowMs + endurance.p50H * 3_600_000)}</span>
          </>
        ) : (
          <b>—</b>
        )}
      </td>
      <td class="c-source">
        <span>{source.main}</span>
        <span class="sub">
          {point.fuel?.told !== undefined && <ToldMark format={format} />}
          {source.sub}
        </span>
      </td>
      <td class="c-people">
        <PeopleCell point={point} format={format} />
      </td>
      <td class={`c-age${point.contact === "silent" ? " old" : ""}`}>
        {point.lastSampleAt === undefined && newest !== undefined && <ToldMark format={format} />}
        {newest === undefined ? "—" : format.age(axis.nowMs - newest)}
      </td>
    </tr>
  );
}
