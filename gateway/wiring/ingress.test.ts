// What readers over MQTT find retained: the points and open alerts there are, and nothing of what is gone.
import { expect, test } from "vitest";
import type { Alert, GatewayState, PointState } from "../../protocol/index.ts";
import type { EngineChange } from "../engine/engine.ts";
import { publishStates } from "./ingress.ts";

test("a point that is none any more and an alert that is over are cleared", () => {
  const retained = new Map<string, string>();
  let tell: (change: EngineChange) => void = () => undefined;
  const point = (pointId: string) => ({ pointId }) as PointState;
  publishStates(
    {
      overview: () => ({
        points: [point("alm-01"), point("alm-02")],
        alerts: [{ alertId: "gateway-1", state: "unacknowledged" } as Alert],
        requests: [],
        gateway: {} as GatewayState,
      }),
      onChange: (listener) => {
        tell = listener;
        return () => true;
      },
    },
    {
      publishRetained: (topic, json) => {
        if (json === undefined) retained.delete(topic);
        else retained.set(topic, json);
      },
    },
  );
  expect(retained.size).toBe(4);
  tell({
    points: [point("alm-01")],
    gone: ["alm-02"],
    alerts: [{ alertId: "gateway-1", state: "normal" } as Alert],
  });
  expect([...retained.keys()]).toEqual(["waakvlam/v1/points/alm-01/state", "waakvlam/v1/gateway/state"]);
});
