// Fuel that came: seen by the sensor, told by people; a person says how much it was, or that it was none.
import { useState } from "preact/hooks";
import type { Delivery } from "../../../protocol/schema/index.ts";
import { readNumber } from "./entry-draft.ts";
import { TextField } from "./field.tsx";
import { Part, type PartProps } from "./part.tsx";
import { useQuickEntry } from "./quick-entry.ts";
import { hrefOf } from "./route.ts";
import { ToldMark } from "./said.tsx";
import { coded, sourceWord } from "./words.ts";

export function DeliveriesPart(props: PartProps) {
  const { point, format, mayAct } = props;
  const deliveries = [...(point.deliveries ?? [])].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  if (deliveries.length === 0 && point.fuel === undefined) return null;
  return (
    <Part id="deliveries" title={format.text("deliveriesTitle")}>
      {deliveries.length === 0 ? (
        <p>{format.text("noDeliveries")}</p>
      ) : (
        <ul class="deliveries">
          {deliveries.map((delivery) => (
            <OneDelivery key={delivery.deliveryId} {...props} delivery={delivery} />
          ))}
        </ul>
      )}
      {mayAct && (
        <a class="button" href={hrefOf({ kind: "entry", pointId: point.pointId, what: "delivery" })}>
          {format.text("enterDelivery")}
        </a>
      )}
    </Part>
  );
}

function OneDelivery({ point, nowMs, format, mayAct, delivery }: PartProps & { readonly delivery: Delivery }) {
  const { deliveryId, measuredL, toldL, told, state } = delivery;
  const [litres, setLitres] = useState(measuredL === undefined ? "" : String(Math.round(measuredL)));
  const [fault, setFault] = useState<string | undefined>(undefined);
  const { isBusy, problem, tell } = useQuickEntry(point.pointId, format);
  const confirm = async (event: SubmitEvent) => {
    event.preventDefault();
    const amount = readNumber(litres);
    const isGood = amount !== undefined && amount > 0;
    setFault(isGood ? undefined : format.text("faultLitres"));
    if (isGood) await tell({ kind: "delivery", litres: amount, deliveryId });
  };
  const amounts = [
    ...(measuredL === undefined ? [] : [format.text("deliveryMeasured", { n: format.whole(measuredL) })]),
    ...(toldL === undefined ? [] : [format.text("deliveryTold", { n: format.whole(toldL) })]),
  ];
  return (
    <li>
      <p>
        {told !== undefined && <ToldMark format={format} />}
        <b>{format.farMoment(Date.parse(delivery.at), nowMs)}</b>
        {` · ${[...amounts, coded(format, "delivery", state)].join(" · ")}`}
        {told !== undefined && <span class="sub">{sourceWord({ told }, format)}</span>}
      </p>
      {mayAct && state === "detected" && (
        <form class="confirm" noValidate onSubmit={(event) => void confirm(event)}>
          <TextField
            id={`confirm-${deliveryId}`}
            label={format.text("litresOnNote")}
            error={fault}
            mode="decimal"
            isNarrow
            value={litres}
            onValue={setLitres}
          />
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {format.text("confirmDelivery")}
          </button>
          <button type="button" aria-disabled={isBusy} onClick={() => void tell({ kind: "no-delivery", deliveryId })}>
            {format.text("rejectDelivery")}
          </button>
        </form>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </li>
  );
}
