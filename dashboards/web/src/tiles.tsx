// The five tiles: how many last, who fails first, what is to be handled, people, time.
import type { Alert, GatewayState, PointState } from "../../../protocol/schema/index.ts";
import { type Format, hoursText } from "./format.ts";
import { Mark, markOf } from "./marks.tsx";
import { firstToFail, isSeen, isUnheard, isUnseen } from "./order.ts";

export interface TilesProps {
  readonly gateway: GatewayState;
  readonly points: readonly PointState[];
  readonly alerts: readonly Alert[];
  readonly nowMs: number;
  readonly format: Format;
}

function Distribution({ points, format }: { points: readonly PointState[]; format: Format }) {
  const count = (kind: 1 | 2 | 3) => points.filter((point) => point.priority === kind).length;
  const silent = points.filter((point) => point.priority === 0 && isUnheard(point)).length;
  const parts = [
    { key: "p1", n: count(1), word: format.text("priority1") },
    { key: "p2", n: count(2), word: format.text("priority2") },
    { key: "p3", n: count(3), word: format.text("priority3") },
    { key: "silent", n: silent, word: format.text("noContact") },
  ];
  const normal = points.length - parts.reduce((sum, part) => sum + part.n, 0);
  const label = [...parts, { n: normal, word: format.text("priority0") }]
    .map((part) => `${part.n} ${part.word}`)
    .join(", ");
  return (
    <div class="dist" role="img" aria-label={label}>
      {parts.map((part) => part.n > 0 && <i key={part.key} class={part.key} style={{ flexGrow: part.n }} />)}
      {normal > 0 && <i class="p0" style={{ flexGrow: normal }} />}
    </div>
  );
}

function FirstTile({ points, nowMs, format }: Pick<TilesProps, "points" | "nowMs" | "format">) {
  const first = firstToFail(points);
  if (first === undefined || first.endurance.kind !== "estimate") {
    return (
      <section class="tile">
        <h2>{format.text("tileFirst")}</h2>
        <div class="value">{format.text("noneEmpty")}</div>
      </section>
    );
  }
  const { p50H } = first.endurance;
  return (
    <section class="tile wide">
      <h2>{format.text("tileFirst")}</h2>
      <div class="value with-mark">
        <Mark kind={markOf(first)} format={format} />
        <span>
          {first.endurance.carriedForward ? "≈ " : ""}
          {hoursText(p50H)} <small>{`${format.text("hoursWord")} · ${format.moment(nowMs + p50H * 3_600_000)}`}</small>
        </span>
      </div>
      <div class="hint">{`${first.name}, ${first.municipality}`}</div>
    </section>
  );
}

function OutageTile({ gateway, nowMs, format }: Pick<TilesProps, "gateway" | "nowMs" | "format">) {
  const { outage, points } = gateway;
  const current = format.text("currentOf", { n: points.current, total: points.total });
  if (outage === undefined) {
    return (
      <section class="tile wide">
        <h2>{format.text("tileOutage")}</h2>
        <div class="value">{format.text("noOutage")}</div>
        <div class="hint">{`${format.text("noOutageHint")} · ${current}`}</div>
      </section>
    );
  }
  const started = Date.parse(outage.startedAt);
  const leftH = (Date.parse(outage.until) - nowMs) / 3_600_000;
  const left = leftH > 0 ? format.text("remaining", { time: hoursText(leftH) }) : format.text("over72");
  return (
    <section class="tile wide">
      <h2>{`${format.text("tileOutage")} · ${format.moment(started)}`}</h2>
      <div class="value">
        {hoursText((nowMs - started) / 3_600_000)} <small>{`${format.text("hoursWord")} · ${left}`}</small>
      </div>
      <div class="hint">{current}</div>
    </section>
  );
}

export function Tiles({ gateway, points, alerts, nowMs, format }: TilesProps) {
  const { reaching, total, unknown } = gateway.points;
  const acknowledged = alerts.filter(isSeen).length;
  const { present, capacity } = gateway.people;
  const filled = capacity > 0 ? Math.min(100, (present / capacity) * 100) : 0;
  return (
    <div class="tiles">
      <section class="tile wide">
        <h2>{format.text("tileReach")}</h2>
        <div class="value">
          {reaching}{" "}
          <small>{`${format.text("ofTotal", { total })}${unknown > 0 ? ` · ${format.text("andUnknown", { n: unknown })}` : ""}`}</small>
        </div>
        <Distribution points={points} format={format} />
      </section>
      <FirstTile points={points} nowMs={nowMs} format={format} />
      <section class="tile">
        <h2>{format.text("tileAlerts")}</h2>
        <div class="value">
          {alerts.filter(isUnseen).length} <small>{format.text("unacknowledgedN")}</small>
        </div>
        <div class="hint">{format.text("acknowledgedN", { n: acknowledged })}</div>
      </section>
      <section class="tile">
        <h2>{format.text("tilePeople")}</h2>
        <div class="value">
          {format.whole(present)} <small>{format.text("ofTotal", { total: format.whole(capacity) })}</small>
        </div>
        <div class="meter" role="img" aria-label={`${Math.round(filled)} %`}>
          <i style={{ width: `${filled}%` }} />
        </div>
      </section>
      <OutageTile gateway={gateway} nowMs={nowMs} format={format} />
    </div>
  );
}
