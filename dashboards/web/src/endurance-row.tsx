// One point in the table: how long it can go on, of what it lives, who is there, how old all this is.
import type { PointState } from "../../../protocol/schema/index.ts";
import { type Axis, barOf, hasRoomForWords, percentAt } from "./bars.ts";
import { type Format, hoursText } from "./format.ts";
import { Mark, markOf } from "./marks.tsx";
import type { TextKey } from "./nl.ts";

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

function subtitle(point: PointState, axis: Axis, format: Format): string {
  const { endurance } = point;
  const parts = [point.municipality];
  if (point.contact === "silent" && point.lastReceivedAt !== undefined) {
    parts.push(format.text("contactSince", { time: format.moment(Date.parse(point.lastReceivedAt)) }));
  } else if (point.contact === "never") parts.push(format.text("neverHeard"));
  else if (point.contact === "no-device") parts.push(format.text("noDevice"));
  else if (endurance.kind === "none") parts.push(reasonWord(point, format));
  else if (endurance.reaches72h === "yes") parts.push(format.text("makes72"));
  else parts.push(format.text("runsDry", { time: format.moment(axis.nowMs + endurance.p50H * 3_600_000) }));
  const short = shortageText(point, format);
  if (short !== "" && point.contact === "present" && !hasRoomForWords(barOf(point, axis), axis)) parts.push(short);
  return parts.join(" · ");
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
      class={`bar prio-${point.priority}${endurance.carriedForward ? " carried" : ""}`}
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

export function EnduranceRow({ point, axis, format, isSelected, onSelect }: RowProps) {
  const { endurance } = point;
  const kind = markOf(point.priority, point.contact);
  const source = sourceText(point, format);
  const people = point.occupancy?.people;
  const isOver = people !== undefined && point.capacity !== undefined && people >= point.capacity;
  const age = point.lastSampleAt === undefined ? undefined : axis.nowMs - Date.parse(point.lastSampleAt);
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
        <span class="name">{point.name}</span>
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
        <span class="sub">{source.sub}</span>
      </td>
      <td class="c-people">
        {people !== undefined && (
          <>
            <span class={isOver ? "over" : ""}>
              {point.occupancy?.quality === "stale" ? "≈ " : ""}
              {format.whole(people)}
              {isOver && <span class="vh">{` ${format.text("capacityOver")}`}</span>}
            </span>
            <span class="sub">
              {point.capacity === undefined ? "" : format.text("of", { n: format.whole(point.capacity) })}
            </span>
          </>
        )}
      </td>
      <td class={`c-age${point.contact === "silent" ? " old" : ""}`}>{age === undefined ? "—" : format.age(age)}</td>
    </tr>
  );
}
