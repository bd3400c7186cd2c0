// People, fuel, battery, power and supplies of a point.
import type { PointState, Reading } from "../../../protocol/schema/index.ts";
import { SUPPLIES } from "./entry-draft.ts";
import { Part, type PartProps } from "./part.tsx";
import { hrefOf } from "./route.ts";
import { Said, ToldMark } from "./said.tsx";
import { coded, sourceWord } from "./words.ts";

/** A reading of this name: what people told where it is the newest, else the device's. */
function readingOf(point: PointState, name: string): Reading | undefined {
  return point.readings
    .filter((reading) => reading.name === name)
    .reduce<Reading | undefined>((a, b) => (a === undefined || b.at > a.at ? b : a), undefined);
}

function EnterLink({
  point,
  format,
  mayAct,
  what,
}: PartProps & { readonly what: "count" | "dip" | "supplies" | "power" }) {
  if (!mayAct) return null;
  const words = { count: "enterCount", dip: "enterDip", supplies: "enterSupplies", power: "enterPower" } as const;
  return (
    <a class="button" href={hrefOf({ kind: "entry", pointId: point.pointId, what })}>
      {format.text(words[what])}
    </a>
  );
}

export function PeoplePart(props: PartProps) {
  const { point, nowMs, format } = props;
  const { occupancy, capacity, roomAt = [] } = point;
  const isOver = occupancy !== undefined && capacity !== undefined && occupancy.people >= capacity;
  const perHour = occupancy?.perHour ?? 0;
  return (
    <Part
      id="people"
      title={format.text("peopleTitle")}
      said={
        occupancy !== undefined && (
          <Said {...occupancy} nowMs={nowMs} format={format} isOld={occupancy.quality === "stale"} />
        )
      }
    >
      {occupancy === undefined ? (
        <p>{format.text("nobodyCounted")}</p>
      ) : (
        <>
          <p class="figure">
            <span class={isOver ? "over" : ""}>
              {occupancy.quality === "stale" ? "≈ " : ""}
              {format.whole(occupancy.people)}
            </span>
            {occupancy.plusMinus !== undefined && occupancy.plusMinus > 0 && (
              <small>{` ± ${occupancy.plusMinus}`}</small>
            )}{" "}
            {capacity !== undefined && <small>{format.text("ofCapacity", { n: format.whole(capacity) })}</small>}
          </p>
          {isOver && <p class="old">{format.text("capacityOver")}</p>}
          {perHour !== 0 && (
            <p>{format.text(perHour > 0 ? "perHourIn" : "perHourOut", { n: format.whole(Math.abs(perHour)) })}</p>
          )}
        </>
      )}
      {occupancy?.recount !== undefined && (
        <p class="prompt">
          <b>{format.text("recountTitle")}</b>: {coded(format, "recount", occupancy.recount)}
        </p>
      )}
      {roomAt.length > 0 && (
        <>
          <h4>{format.text("roomTitle")}</h4>
          <ol class="room">
            {roomAt.map(({ pointId, name, km, free }) => (
              <li key={pointId}>
                <a href={hrefOf({ kind: "point", pointId })}>
                  {format.text("roomAt", { name, free: format.whole(free), km: format.decimal(km) })}
                </a>
              </li>
            ))}
          </ol>
        </>
      )}
      <EnterLink {...props} what="count" />
    </Part>
  );
}

function dipWords(more: number | undefined, format: PartProps["format"]): string {
  if (more === undefined) return "";
  const n = Math.round(Math.abs(more));
  if (n === 0) return format.text("sensorSame");
  return format.text(more > 0 ? "sensorMore" : "sensorLess", { n: format.whole(n) });
}

export function FuelPart(props: PartProps) {
  const { point, nowMs, format } = props;
  const { fuel } = point;
  const deviceId = readingOf(point, "power.fuelLevelPct")?.deviceId;
  return (
    <Part
      id="fuel"
      title={format.text("fuelTitle")}
      said={
        fuel !== undefined && <Said at={fuel.at} told={fuel.told} deviceId={deviceId} nowMs={nowMs} format={format} />
      }
    >
      {fuel === undefined ? (
        <p>{format.text("noFuel")}</p>
      ) : (
        <>
          <p class="figure">
            {format.whole(fuel.litres)} <small>{`l · ${format.whole(fuel.levelPct)} %`}</small>
          </p>
          <div class="meter" role="img" aria-label={`${format.whole(fuel.levelPct)} %`}>
            <i style={{ width: `${Math.min(100, Math.max(0, fuel.levelPct))}%` }} />
          </div>
          <p>
            {format.text("fuelUsable", { usable: format.whole(fuel.usableL), capacity: format.whole(fuel.capacityL) })}
          </p>
          {fuel.dip !== undefined && (
            <p>
              <b>{format.text("dip")}</b>{" "}
              {format.text("dipRead", {
                litres: format.whole(fuel.dip.litres),
                time: format.farMoment(Date.parse(fuel.dip.at), nowMs),
              })}
              {fuel.dip.sensorMoreL !== undefined && ` · ${dipWords(fuel.dip.sensorMoreL, format)}`}
            </p>
          )}
        </>
      )}
      <EnterLink {...props} what="dip" />
    </Part>
  );
}

export function BatteryPart({ point, nowMs, format }: PartProps) {
  const { battery } = point;
  if (battery === undefined) return null;
  const reading = readingOf(point, "battery.stateOfChargePct");
  return (
    <Part
      id="battery"
      title={format.text("batteryTitle")}
      said={<Said at={battery.at} told={reading?.told} deviceId={reading?.deviceId} nowMs={nowMs} format={format} />}
    >
      <p class="figure">
        {format.whole(battery.stateOfChargePct)} <small>%</small>
      </p>
      <p>
        {format.text("batteryUsable", {
          usable: format.decimal(battery.usableKwh),
          capacity: format.decimal(battery.capacityKwh),
        })}
      </p>
    </Part>
  );
}

export function PowerPart(props: PartProps) {
  const { point, nowMs, format } = props;
  const mains = readingOf(point, "power.mains");
  const lost =
    point.mainsLostAt === undefined
      ? format.text("mainsLost")
      : format.text("mainsLostAt", { time: format.farMoment(Date.parse(point.mainsLostAt), nowMs) });
  const words = { present: format.text("mainsPresent"), lost, unknown: format.text("mainsUnknown") };
  const sources = {
    mains: "mains",
    generator: "generator",
    battery: "battery",
    none: "sourceNone",
    unknown: "sourceUnknown",
  } as const;
  return (
    <Part
      id="power"
      title={format.text("powerTitle")}
      said={mains !== undefined && <Said {...mains} nowMs={nowMs} format={format} isOld={mains.quality === "stale"} />}
    >
      <p class="figure">{format.text(sources[point.source])}</p>
      <p>{words[point.mains]}</p>
      {point.generator !== "absent" && (
        <p>{`${format.text("generator")}: ${coded(format, "word", point.generator)}`}</p>
      )}
      <EnterLink {...props} what="power" />
    </Part>
  );
}

export function SuppliesPart(props: PartProps) {
  const { point, nowMs, format } = props;
  const known = SUPPLIES.flatMap((name) => {
    const reading = readingOf(point, `supplies.${name}`);
    return reading === undefined || typeof reading.value === "string" ? [] : [{ name, reading, score: reading.value }];
  });
  return (
    <Part id="supplies" title={format.text("suppliesTitle")}>
      {known.length === 0 ? (
        <p>{format.text("noSupplies")}</p>
      ) : (
        <>
          <ul class="supplies" aria-label={format.text("scoreHint")}>
            {known.map(({ name, reading, score }) => (
              <li key={name}>
                <span>{coded(format, "supply", name)}</span>
                <span class="pips" aria-hidden="true">
                  {[1, 2, 3, 4, 5].map((pip) => (
                    <i key={pip} class={pip <= score ? "on" : ""} />
                  ))}
                </span>
                <b>
                  {format.whole(score)}
                  <span class="vh">{` ${format.text("ofFive")}`}</span>
                </b>
                <span class="sub" title={sourceWord(reading, format)}>
                  {reading.told !== undefined && <ToldMark format={format} />}
                  {format.age(nowMs - Date.parse(reading.at))}
                </span>
              </li>
            ))}
          </ul>
          <p class="sub">{format.text("scoreHint")}</p>
        </>
      )}
      <EnterLink {...props} what="supplies" />
    </Part>
  );
}
