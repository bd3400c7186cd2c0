// Over the gateway's own broker: whoever is subscribed reads it. Nobody says whether that is anybody.
import { noticeTopic } from "../../protocol/index.ts";
import type { Carrier } from "./channel.ts";

export interface MqttCarrierDeps {
  publish(topic: string, json: string): void;
}

export function createMqttCarrier({ publish }: MqttCarrierDeps): Carrier<"mqtt"> {
  return {
    deliver: ({ notice }) => {
      publish(noticeTopic(notice.noticeId), JSON.stringify(notice));
      return Promise.resolve({ kind: "handed-on" });
    },
  };
}
