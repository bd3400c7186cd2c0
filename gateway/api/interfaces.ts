// What the API needs of others, in the smallest shape that serves it.
import type { Alert, DeviceState, GatewayState, Overview, PointState, Refusals, Role } from "../../protocol/index.ts";

export interface ApiEngine {
  overview(): Overview;
  point(pointId: string): PointState | undefined;
  alert(alertId: string): Alert | undefined;
  devices(): readonly DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  acknowledge(
    alertId: string,
    act: { readonly by: string; readonly note?: string; readonly origin: string },
  ): Promise<Alert>;
  onChange(
    listener: (change: {
      readonly points: readonly PointState[];
      readonly alerts: readonly Alert[];
      readonly gateway?: GatewayState;
    }) => void,
  ): () => void;
}

export interface ApiPeople {
  verify(name: string, password: string): Promise<{ readonly name: string; readonly role: Role } | undefined>;
}

export interface ApiRefusals {
  list(): Refusals;
}
