// MQTT in, and the retained states out.
import { alertTopic, GATEWAY_STATE_TOPIC, pointStateTopic } from "../../protocol/index.ts";
import { isPlausibleWallTime } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import { createMqttIngress, type MqttIngress, type MqttIngressOptions } from "../ingress/mqtt.ts";
import type { Parts } from "./parts.ts";
import { tlsFilesOf } from "./tls.ts";

export async function startIngress(
  { config, clock, logs, journal, store, engine }: Parts,
  more: Pick<MqttIngressOptions, "observePuback" | "commands">,
): Promise<MqttIngress> {
  const { host, port } = config.mqtt;
  const tls = tlsFilesOf(config.mqtt);
  const ingress = await createMqttIngress({
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    journal,
    identities: store,
    people: store.people,
    clock,
    isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
    ...more,
    log: logs.area("mqtt").warn,
  });
  ingress.onRefusal((note) => {
    engine.note({
      kind: "refusal",
      reason: note.reason,
      ...(note.sender === undefined ? {} : { sender: note.sender }),
    });
  });
  return ingress;
}

/** Retained states for readers: all of them at the start, then what changes; a closed alert and a point that is none are cleared. */
export function publishStates(
  engine: Pick<Engine, "overview" | "onChange">,
  ingress: Pick<MqttIngress, "publishRetained">,
): () => void {
  const { points, alerts, gateway } = engine.overview();
  const tell = (change: Parameters<Parameters<Engine["onChange"]>[0]>[0]) => {
    for (const point of change.points) ingress.publishRetained(pointStateTopic(point.pointId), JSON.stringify(point));
    for (const pointId of change.gone ?? []) ingress.publishRetained(pointStateTopic(pointId), undefined);
    for (const alert of change.alerts) {
      ingress.publishRetained(alertTopic(alert.alertId), alert.state === "normal" ? undefined : JSON.stringify(alert));
    }
    if (change.gateway !== undefined) ingress.publishRetained(GATEWAY_STATE_TOPIC, JSON.stringify(change.gateway));
  };
  tell({ points, alerts, gateway });
  return engine.onChange(tell);
}
