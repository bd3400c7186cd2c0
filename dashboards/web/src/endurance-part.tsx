// How long a point can go on: the bar, the moment in words, the range, how it is known, and what is short to 72 hours.
import { type Axis, percentAt } from "./bars.ts";
import { EnduranceBar, reasonWord } from "./endurance-row.tsx";
import { AxisRow } from "./endurance-table.tsx";
import { hoursText } from "./format.ts";
import { Part, type PartProps } from "./part.tsx";
import { coded, emptyWords } from "./words.ts";

export function EndurancePart({ point, nowMs, format, axis }: PartProps & { readonly axis: Axis }) {
  const { endurance } = point;
  const title = format.text("enduranceTitle");
  if (endurance.kind === "none")
    return (
      <Part id="endurance" title={title}>
        <p class="figure">—</p>
        <p>{format.text("noEstimate", { reason: reasonWord(point, format) })}</p>
      </Part>
    );
  const { p10H, p50H, p90H, carriedForward, hypothetical, asOf } = endurance;
  const moment = (at: string) => format.farMoment(Date.parse(at), nowMs);
  const isAhead = percentAt(axis, Date.parse(endurance.emptyAt)) < 100;
  const isEnough = endurance.reaches72h === "yes" && !isAhead;
  return (
    <Part
      id="endurance"
      title={title}
      said={<p class="said">{format.text("estimateOf", { age: format.age(nowMs - Date.parse(asOf)) })}</p>}
    >
      <div class="endurance-words">
        <p class="figure">
          {carriedForward ? "≈ " : ""}
          {hoursText(p50H)} <small>{format.text("hoursWord")}</small>
        </p>
        <div>
          <p class="empty-words">{emptyWords(point, nowMs, format)}</p>
          <p>
            {format.text("emptyBetween", {
              from: moment(endurance.emptyEarliestAt),
              until: moment(endurance.emptyLatestAt),
            })}{" "}
            <span class="sub-inline">{`P10 ${hoursText(p10H)} · P90 ${hoursText(p90H)}`}</span>
          </p>
        </div>
      </div>
      <div class="axis-of-point">
        <AxisRow axis={axis} format={format} />
      </div>
      <EnduranceBar point={point} axis={axis} format={format} />
      {hypothetical && <p>{format.text("hypothetical")}</p>}
      {carriedForward && point.lastReceivedAt !== undefined && (
        <p class="old">{format.text("carried", { time: moment(point.lastReceivedAt) })}</p>
      )}
      <Facts point={point} isEnough={isEnough} format={format} />
    </Part>
  );
}

interface FactsProps extends Pick<PartProps, "point" | "format"> {
  readonly isEnough: boolean;
}

function Facts({ point, isEnough, format }: FactsProps) {
  const { endurance } = point;
  if (endurance.kind === "none") return null;
  const { reaches72h, shortage, rateLPerH, rateKw } = endurance;
  return (
    <dl>
      <dt>{format.text("toReach72")}</dt>
      <dd class={shortage === undefined ? "" : "short-amount"}>
        {shortage === undefined
          ? format.text(reaches72h === "uncertain" ? "uncertain72" : isEnough ? "enough" : "makes72")
          : [
              ...(shortage.litres === undefined ? [] : [`${format.whole(shortage.litres)} l`]),
              ...(shortage.kWh === undefined ? [] : [`${format.decimal(shortage.kWh)} kWh`]),
              format.text("shortage", { time: hoursText(shortage.hours) }),
            ].join(" · ")}
      </dd>
      <dt>{format.text("howKnown")}</dt>
      <dd>{`${coded(format, "method", endurance.method)}; ${coded(format, "limit", endurance.limitedBy)}`}</dd>
      {(rateLPerH !== undefined || rateKw !== undefined) && (
        <>
          <dt>{format.text("rate")}</dt>
          <dd>
            {[
              ...(rateLPerH === undefined ? [] : [`${format.decimal(rateLPerH)} l/${format.text("hourUnit")}`]),
              ...(rateKw === undefined ? [] : [`${format.decimal(rateKw)} kW`]),
            ].join(" · ")}
          </dd>
        </>
      )}
    </dl>
  );
}
