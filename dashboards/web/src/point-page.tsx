// One point: what is known, how old it is and who says it, and what can be done about it.
import { useEffect, useState } from "preact/hooks";
import type {
  Alert,
  DeviceState,
  GatewayState,
  HelpRequest,
  PointState,
  Session,
} from "../../../protocol/schema/index.ts";
import { devicesOf } from "./actions.ts";
import { AlertList } from "./alert-list.tsx";
import { AskPart } from "./ask-part.tsx";
import { axisOf } from "./bars.ts";
import { DeliveriesPart } from "./deliveries-part.tsx";
import { EndurancePart } from "./endurance-part.tsx";
import { EntriesPart } from "./entries-part.tsx";
import type { Format } from "./format.ts";
import { HistoryPart } from "./history-part.tsx";
import { Mark, markOf, markWord } from "./marks.tsx";
import type { PartProps } from "./part.tsx";
import { PhasePart } from "./phase-part.tsx";
import { BatteryPart, FuelPart, PeoplePart, PowerPart, SuppliesPart } from "./point-parts.tsx";
import { DevicesPart, ReadingsPart } from "./readings-part.tsx";
import { hrefOf } from "./route.ts";
import { lastToldMs } from "./words.ts";

/** What is fetched beside the live picture is fetched again after so long. */
const REFETCH_MS = 60_000;

export interface PageProps {
  readonly point: PointState | undefined;
  readonly pointId: string;
  readonly gateway: GatewayState;
  /** Of this point. */
  readonly alerts: readonly Alert[];
  readonly requests: readonly HelpRequest[];
  readonly session: Session;
  readonly nowMs: number;
  readonly format: Format;
}

/** The devices of a point; undefined until they are known. */
function useDevices(pointId: string, turn: number): readonly DeviceState[] | undefined {
  const [devices, setDevices] = useState<readonly DeviceState[] | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    void devicesOf(pointId).then((found) => {
      if (isCurrent) setDevices(found);
    });
    return () => {
      isCurrent = false;
    };
  }, [pointId, turn]);
  return devices;
}

export function PointPage({ point, pointId, gateway, alerts, requests, session, nowMs, format }: PageProps) {
  const turn = Math.floor(nowMs / REFETCH_MS);
  const devices = useDevices(pointId, turn);
  const [selectedAlert, setSelectedAlert] = useState<string | undefined>(undefined);
  useEffect(() => {
    document.getElementById("page-title")?.focus();
    window.scrollTo(0, 0);
  }, [pointId]);
  const back = (
    <a class="back" href={hrefOf({ kind: "overview" })}>
      ← {format.text("back")}
    </a>
  );
  if (point === undefined)
    return (
      <main class="page">
        {back}
        <h2 id="page-title" tabIndex={-1}>
          {format.text("pointUnknown", { id: pointId })}
        </h2>
      </main>
    );
  const part: PartProps = { point, nowMs, format, mayAct: session.role !== "viewer" };
  return (
    <main class="page point">
      {back}
      <PointHead {...part} />
      {alerts.length > 0 && (
        <AlertList
          alerts={alerts}
          session={session}
          nowMs={nowMs}
          format={format}
          selected={selectedAlert}
          onSelect={setSelectedAlert}
        />
      )}
      <div class="parts">
        <EndurancePart {...part} axis={axisOf(gateway, nowMs)} />
        <AskPart {...part} requests={requests} key={`ask-${pointId}`} />
        <PhasePart {...part} key={`phase-${pointId}`} />
        <PeoplePart {...part} />
        <FuelPart {...part} />
        <DeliveriesPart {...part} key={`deliveries-${pointId}`} />
        <PowerPart {...part} />
        <BatteryPart {...part} />
        <SuppliesPart {...part} />
        <HistoryPart {...part} turn={turn} />
        <EntriesPart {...part} turn={turn} />
        <ReadingsPart {...part} />
        <DevicesPart {...part} devices={devices} />
      </div>
    </main>
  );
}

function PointHead({ point, nowMs, format, mayAct }: PartProps) {
  const kind = markOf(point);
  const facts = [
    format.text(`kind-${point.kind}`),
    point.municipality,
    ...(point.organisation === undefined ? [] : [point.organisation]),
    ...(point.coordination ? [format.text("coordinationPoint")] : []),
    ...(point.fuelPriority === undefined ? [] : [format.text("fuelPriority", { n: point.fuelPriority })]),
    point.pointId,
  ];
  return (
    <div class="point-head">
      <div>
        <h2 id="page-title" tabIndex={-1}>
          {point.name}
        </h2>
        <p class="sub">{facts.join(" · ")}</p>
      </div>
      <p class="freshness-of-point">
        <Mark kind={kind} format={format} /> <span aria-hidden="true">{markWord(kind, format)}</span>
        <b>{contactWords(point, nowMs, format)}</b>
      </p>
      {mayAct && (
        <a class="button primary" href={hrefOf({ kind: "entry", pointId: point.pointId })}>
          {format.text("entryTitle")}
        </a>
      )}
    </div>
  );
}

/** How old what is known is: by device and by people. */
function contactWords(point: PointState, nowMs: number, format: Format): string {
  const told = lastToldMs(point);
  const toldWords = told === undefined ? [] : [format.text("lastToldAt", { age: format.age(nowMs - told) })];
  if (point.contact === "no-device")
    return [format.text("noDevice"), ...(told === undefined ? [format.text("nothingTold")] : toldWords)].join(" · ");
  const heard = point.lastReceivedAt;
  const device =
    heard === undefined
      ? format.text("neverHeard")
      : format.text("lastMessageAt", { age: format.age(nowMs - Date.parse(heard)) });
  return [device, ...toldWords].join(" · ");
}
