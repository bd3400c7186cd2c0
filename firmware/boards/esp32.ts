// ESP32, profile `point`: a whole support point over WiFi and MQTT, over LoRaWAN, or over both. Pins, and everything wired together.
import { createTaggerOfTwo, downlinkTopic, loginWith, uplinkTopic } from "../../protocol/wire.ts";
import type { Device } from "../device/device.ts";
import { bytesOfHex, type DeviceConfig } from "../device/settings.ts";
import { createTurnedHmac, openLater, sealLater } from "../device/tags.ts";
import { createThinning } from "../device/thinning.ts";
import type { Connect, Link } from "../hal.ts";
import { createMqttLink, type MqttLink } from "../links/mqtt/client.ts";
import { createPreferredLink } from "../links/preferred.ts";
import { assembleDevice, delay, openRing, readConfig, recover } from "./compose.ts";
import { createPoint } from "./point.ts";
import { createRadio } from "./radio.ts";
import { ESP32 } from "./table.ts";

declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare const D4: Pin, D13: Pin, D14: Pin, D16: Pin, D17: Pin, D18: Pin, D19: Pin, D21: Pin, D22: Pin, D23: Pin;
declare const D25: Pin, D26: Pin, D27: Pin, D32: Pin, D33: Pin, D34: Pin, D35: Pin;

const KEEP_ALIVE_S = 60;
const WIFI_RETRY_MS = 15000;
/** All devices hear the access point come back at once. */
const WAKE_MS = 5000;
const BATTERY_BAUD = 19200;

type Wifi = NonNullable<DeviceConfig["wifi"]>;

/** The access point, joined again and again; the engine itself tries three times and then no more. */
function startMqtt(wifi: Wifi, link: MqttLink): void {
  function join(): void {
    require("Wifi").connect(wifi.ssid, { password: wifi.password }, (error) => {
      hasWifi = !error;
      if (error) delay(WIFI_RETRY_MS, join);
      else delay(Math.random() * WAKE_MS, link.wake);
    });
  }
  require("Wifi").on("disconnected", () => {
    if (hasWifi) delay(WIFI_RETRY_MS, join);
    hasWifi = false;
  });
  join();
  delay(Math.random() * WAKE_MS, link.start);
}

let hasWifi = false;

function connectTo(config: DeviceConfig): Connect {
  return (events) => {
    let isOver = false;
    function over(): void {
      if (isOver) return;
      isOver = true;
      events.closed();
    }
    if (!hasWifi) {
      delay(1000, over);
      return { write: () => undefined, end: () => undefined };
    }
    const socket = require("net").connect({ host: config.host, port: config.port }, events.opened);
    socket.on("data", events.data);
    socket.on("close", over);
    socket.on("error", over);
    return { write: (data) => socket.write(data), end: () => socket.end() };
  };
}

const BOARD = {
  // Code of BOARDS.
  code: 1,
  dataAddress: ESP32.dataAddress,
  pageBytes: ESP32.pageBytes,
  slotBytes: ESP32.slotBytes,
  configOffset: ESP32.configOffset,
  ringOffset: ESP32.ringOffset,
  ringPages: ESP32.ringPages,
  ringSlotBytes: ESP32.ringSlotBytes,
  intervalS: 60,
  flightsMax: 24,
  frameBytesMax: 242,
};
const PINS = { fuel: D34, starter: D35, mains: D25, charge: D26, oil: D27, beamA: D13, beamB: D14 };
const BATTERY_LINE = {
  open: (listener: (data: string) => void) => {
    Serial2.setup(BATTERY_BAUD, { rx: D16, tx: D17 });
    Serial2.on("data", listener);
  },
  close: () => {
    Serial2.removeAllListeners("data");
    Serial2.unsetup();
  },
};

const config = readConfig(BOARD);
const ring = openRing(BOARD);
const deviceId = config.deviceId;
const tagger = createTaggerOfTwo(
  (head, tail) => new Uint8Array(require("crypto").SHA256([head, tail])),
  bytesOfHex(config.key),
);
const hmac = createTurnedHmac(tagger, delay);
const point = createPoint(config, PINS, BATTERY_LINE);
const changed = (): void => device.linkChanged();
const mqtt = createMqttLink({
  connect: connectTo(config),
  delay: delay,
  random: Math.random,
  identity: { clientId: deviceId, userName: deviceId, password: loginWith(tagger), keepAliveS: KEEP_ALIVE_S },
  uplink: uplinkTopic(deviceId),
  downlink: downlinkTopic(deviceId),
  seal: (frame, done) => sealLater(hmac, frame, done),
  changed: changed,
  received: (payload) => device.received(payload, false),
});
const keys = config.lorawan;
const radio =
  keys === undefined
    ? undefined
    : createRadio({ rx: D32, tx: D33, power: D4 }, keys, changed, (frame) => device.received(frame, true));
/** MQTT where there is a network to join, LoRaWAN where there are keys for it; the first is preferred. */
const link: Link = radio === undefined ? mqtt : config.wifi === undefined ? radio : createPreferredLink(mqtt, radio);
const device: Device = assembleDevice(BOARD, config, ring, {
  groupBits: point.groupBits,
  row: point.row,
  probes: point.probes,
  sensors: point.sensors,
  alarms: point.alarms,
  changes: point.changes,
  recount: point.recount,
  link: link,
  thinning: createThinning(ring, point.row, link),
  open: (sealed, done) => openLater(hmac, sealed, done),
  ownSupply: () => 1,
  lamp: (isOn) => digitalWrite(D18, isOn),
  buzzer: (isOn) => digitalWrite(D19, isOn),
  seen: (isOn) => digitalWrite(D21, isOn),
});
function startLinks(): void {
  if (radio !== undefined) radio.start();
  if (config.wifi !== undefined) startMqtt(config.wifi, mqtt);
}

recover(ring, () => {
  point.restore(ring.newest());
  delay(1, device.start);
  delay(2, startLinks);
  // The help button closes to ground, the lid's switch opens.
  setWatch(() => device.help(1), D22, { repeat: true, edge: "falling", debounce: 50 });
  setWatch((event) => device.tamper(event.state), D23, { repeat: true, edge: "both", debounce: 50 });
});
