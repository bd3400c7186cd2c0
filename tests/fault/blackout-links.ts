// Between board and gateway: a broker's packets over WiFi that comes and goes, and a Wio-E5 with a LoRaWAN network behind it.
// Connections break, frames and acknowledgements are lost, answers come too late for their window: by the seed.
import { createPacketReaderOfBroker } from "../../firmware/simulator/broker-packets.ts";
import { createLorawanNetwork } from "../../firmware/simulator/lorawan-network.ts";
import { createModem } from "../../firmware/simulator/modem.ts";
import { createModemRadio } from "../../firmware/simulator/modem-radio.ts";
import { createRandom } from "../../firmware/simulator/random.ts";
import type { Schedule } from "../../firmware/simulator/schedule.ts";
import type { Network } from "../../firmware/simulator/virtual-board.ts";
import { downlinkTopic } from "../../protocol/wire.ts";
import type { BlackoutGateway } from "./blackout-gateway.ts";

const WAY_MS = 20;
const PORT = "Serial1";
const RADIO_POWER_MS = 300;
/** A network server that hears from the gateway so much later answers in a later window. */
const LATE_MS = 20_000;
const HISTORY_KIND = 3;
const HISTORY_FLAGS = 10;
const THINNED = 128;

export const RADIO_KEYS = {
  devEui: "2CF7F12000000001",
  joinEui: "8000000000000006",
  appKey: "000102030405060708090A0B0C0D0E0F",
};

/** Of the modem: commands that it answers wrong or not, bytes that its line loses, restarts of its own. */
export const TROUBLES = {
  errorShare: 0.01,
  muteShare: 0.005,
  strayShare: 0.01,
  restartShare: 0.002,
  lostShare: 0.0005,
};

/** Shares of what is lost. */
export interface Losses {
  /** MQTT: connections that break at a frame; LoRaWAN: frames. */
  up: number;
  /** Ack frames. */
  down: number;
  /** LoRaWAN: answers that miss their window. */
  late: number;
}

export interface MqttWay {
  readonly network: Network;
  setReachable(isReachable: boolean): void;
  /** All connections end: at once, or by the broker's death, when what it has sent has arrived. */
  drop(isByBroker: boolean): void;
}

export function createMqttWay(
  schedule: Schedule,
  gateway: Pick<BlackoutGateway, "isUp" | "takeMqtt">,
  deviceId: string,
  losses: Losses,
  seed: number,
): MqttWay {
  const random = createRandom(seed);
  const open = new Set<(afterMs: number) => void>();
  let isReachable = false;

  function drop(isByBroker: boolean): void {
    for (const close of [...open]) close(isByBroker ? 2 * WAY_MS : 0);
  }

  const network: Network = {
    isReachable: () => isReachable,
    connect: (_host, _port, events) => {
      let isOpen = true;
      let isHeard = true;
      const later = (work: () => void) => {
        schedule.after(WAY_MS * (0.5 + random.next()), () => {
          if (isHeard) work();
        });
      };
      const close = (afterMs: number) => {
        if (!isHeard) return;
        isHeard = false;
        open.delete(close);
        schedule.after(afterMs, () => {
          isOpen = false;
          events.closed();
        });
      };
      open.add(close);
      /** In their order, as TCP has them. */
      let readyMs = 0;
      const toBoard = (data: string) => {
        readyMs = Math.max(readyMs, schedule.nowMs() + WAY_MS * (0.5 + random.next()));
        schedule.after(readyMs - schedule.nowMs(), () => {
          if (isOpen) events.data(data);
        });
      };
      const broker = createPacketReaderOfBroker({
        holdsPuback: true,
        reply: toBoard,
        published: (payload, puback) => {
          if (random.next() < losses.up) {
            // With it or without it.
            if (random.next() < 0.5) gateway.takeMqtt(payload, { puback: () => undefined, publish: () => undefined });
            close(0);
            return;
          }
          gateway.takeMqtt(payload, {
            puback: () => toBoard(puback),
            publish: (frame) => {
              if (random.next() >= losses.down) toBoard(broker.publish(downlinkTopic(deviceId), frame));
            },
          });
        },
      });
      later(() => {
        if (!isReachable || !gateway.isUp()) close(0);
        else events.opened();
      });
      return { write: (data) => later(() => broker.take(data)), end: () => close(0) };
    },
  };
  return {
    network,
    setReachable: (reachable) => {
      isReachable = reachable;
      if (!reachable) drop(false);
    },
    drop,
  };
}

export interface RadioWay {
  /** The board's serial line. */
  openSerial(port: string, data: (text: string) => void): (() => void) | undefined;
  write(port: string, text: string): void;
  setUp(isUp: boolean): void;
  /** Data rates from this one on are not heard. */
  setReach(reach: number): void;
  /** With the board's power. */
  setPower(isOn: boolean): void;
  airtimeMs(): number;
  /** Uplinks on the air, backlog frames that were heard, and those of them that say that samples were left out. */
  frames(): { readonly sent: number; readonly history: number; readonly thinned: number };
}

export function createRadioWay(schedule: Schedule, gateway: BlackoutGateway, losses: Losses, seed: number): RadioWay {
  const random = createRandom(seed);
  const { devEui, appKey } = RADIO_KEYS;
  const frames = { sent: 0, history: 0, thinned: 0 };
  const network = createLorawanNetwork({
    random,
    keys: new Map([[devEui, appKey]]),
    deliver: (_device, payload) => {
      if (((payload[0] as number) & 15) === HISTORY_KIND) {
        frames.history++;
        if ((payload[HISTORY_FLAGS] as number) & THINNED) frames.thinned++;
      }
      gateway.takeLorawan(payload, (ack) => {
        if (random.next() < losses.late) schedule.after(LATE_MS, () => network.queue(devEui, ack));
        else network.queue(devEui, ack);
      });
    },
  });
  const heard = network.uplink;
  const air = {
    ...network,
    uplink: (frame: Parameters<typeof heard>[0]) => {
      frames.sent++;
      network.settings.lossUp = losses.up;
      network.settings.lossDown = losses.down;
      return heard(frame);
    },
  };
  const modem = createModem({ schedule, random, radio: (parts) => createModemRadio(air, parts) });
  Object.assign(modem.troubles, TROUBLES);
  return {
    openSerial: (port, data) => (port === PORT ? modem.open(data) : undefined),
    write: (port, text) => {
      if (port === PORT) modem.write(text);
    },
    setUp: (isUp) => {
      network.settings.isUp = isUp;
    },
    setReach: (reach) => {
      network.settings.reach = reach;
    },
    setPower: (isOn) => {
      if (isOn) schedule.after(RADIO_POWER_MS, () => modem.setPower(true));
      else modem.setPower(false);
    },
    airtimeMs: () => modem.onAirMs().l + modem.onAirMs().m,
    frames: () => frames,
  };
}
