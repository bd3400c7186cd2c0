// ESP32, profile `point`: a whole support point over WiFi and MQTT. Pins, and everything wired together.
import { downlinkTopic, mqttPassword, type Sha256, uplinkTopic } from "../../protocol/wire.ts";
import { createDevice, type Probe } from "../device/device.ts";
import { bytesOfHex, type DeviceConfig } from "../device/settings.ts";
import { createDoorCounter } from "../drivers/door-counter.ts";
import { createFuelProbe } from "../drivers/fuel-probe-4-20ma.ts";
import { createGeneratorInputs } from "../drivers/generator-inputs.ts";
import { createVeDirect } from "../drivers/ve-direct.ts";
import type { Connect, Delay, EdgeWatch, FlashArea } from "../hal.ts";
import { createMqttLink } from "../links/mqtt/client.ts";
import { openConfig } from "../store/config.ts";
import { openRing } from "../store/ring.ts";
import { confirmBoot } from "../store/slots.ts";
import { CONFIG_PAGES, ESP32, FILES } from "./table.ts";

declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare const D13: Pin, D14: Pin, D16: Pin, D17: Pin, D25: Pin, D26: Pin, D27: Pin, D34: Pin, D35: Pin;
declare const process: { memory(): { free: number; total: number } };

const REFERENCE_V = 3.3;
const KEEP_ALIVE_S = 60;
const WATCHDOG_S = 60;
const WIFI_RETRY_MS = 15000;
const BATTERY_BAUD = 19200;
const DEBOUNCE_MS = 10;

/** Number of the slot that runs; the loader says so. */
declare const wkSlot: number;

function areaAt(start: number, pages: number): FlashArea {
  return {
    pageBytes: ESP32.pageBytes,
    pages: pages,
    read: (offset, length) => require("Flash").read(length, start + offset),
    write: (offset, bytes) => require("Flash").write(bytes, start + offset),
    erase: (page) => require("Flash").erasePage((start + page * ESP32.pageBytes) | 0),
  };
}

/** The configuration, or undefined when neither page checks. */
function readConfig(): DeviceConfig | undefined {
  const text = openConfig({
    flash: areaAt(ESP32.dataAddress + ESP32.configOffset, CONFIG_PAGES),
    crc32: (data) => E.CRC32(data),
    textAt: (offset, length) => require("Storage").read(FILES.data, ESP32.configOffset + offset, length) as string,
    bytesOf: (data) => E.toUint8Array(data),
  }).text();
  return text === undefined ? undefined : (JSON.parse(text) as DeviceConfig);
}

function run(config: DeviceConfig): void {
  const startedS = getTime();
  const uptime = (): number => getTime() - startedS;
  const delay: Delay = (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => {
      // A timer that has run is not there any more: clearing it says nothing.
      clearTimeout(timer);
    };
  };
  const sha256: Sha256 = (bytes) => new Uint8Array(require("crypto").SHA256(bytes));
  const slots = areaAt(ESP32.dataAddress, 0);
  let isConfirmed = false;
  let faults = 0;
  E.on("errorFlag", () => {
    faults++;
  });

  const watch = (pin: Pin): EdgeWatch => {
    return (listener) => {
      setWatch((event) => listener(event.state, event.time), pin, {
        repeat: true,
        edge: "both",
        debounce: DEBOUNCE_MS,
      });
    };
  };

  let wifiUp = false;
  function joinWifi(): void {
    require("Wifi").connect(config.wifi.ssid, { password: config.wifi.password }, (error) => {
      wifiUp = !error;
      // At a moment of its own: all devices hear the access point come back at once.
      if (wifiUp) delay(Math.random() * 5000, () => link.wake());
      // The engine tries three times by itself and then no more.
      if (error) delay(WIFI_RETRY_MS, joinWifi);
    });
  }
  require("Wifi").on("disconnected", () => {
    if (wifiUp) delay(WIFI_RETRY_MS, joinWifi);
    wifiUp = false;
  });

  const connect: Connect = (events) => {
    let isOver = false;
    function over(): void {
      if (isOver) return;
      isOver = true;
      events.closed();
    }
    if (!wifiUp) {
      delay(1000, over);
      return { write: () => undefined, end: () => undefined };
    }
    const socket = require("net").connect({ host: config.host, port: config.port }, () => {
      events.opened();
    });
    socket.on("data", events.data);
    socket.on("close", over);
    socket.on("error", over);
    return { write: (data) => socket.write(data), end: () => socket.end() };
  };

  const key = bytesOfHex(config.key);
  const deviceId = config.deviceId;
  const link = createMqttLink({
    connect: connect,
    delay: delay,
    random: Math.random,
    identity: { clientId: deviceId, userName: deviceId, password: mqttPassword(sha256, key), keepAliveS: KEEP_ALIVE_S },
    uplink: uplinkTopic(deviceId),
    downlink: downlinkTopic(deviceId),
    changed: (isUp) => {
      if (isUp) device.reporter.pump();
      else device.reporter.reset();
    },
    received: (payload) => device.reporter.received(payload),
  });

  const device = createDevice({
    deviceId: deviceId,
    key: key,
    board: "esp32",
    settings: config.settings,
    probes: probesOf(config, { uptime: uptime, delay: delay, watch: watch }),
    ring: openRing(areaAt(ESP32.dataAddress + ESP32.ringOffset, ESP32.ringPages)),
    link: link,
    sha256: sha256,
    delay: delay,
    uptime: uptime,
    // The first kick: every task has run, so the boot is complete.
    kick: () => {
      if (!isConfirmed) confirmBoot(slots, wkSlot * ESP32.slotBytes);
      isConfirmed = true;
      E.kickWatchdog();
    },
    memoryFreePct: () => {
      const memory = process.memory();
      return Math.floor((memory.free * 100) / memory.total);
    },
    faults: () => faults,
  });
  E.enableWatchdog(WATCHDOG_S, false);
  joinWifi();
  device.start();
  // A random start: after an outage all devices come back at once.
  delay(Math.random() * 5000, () => link.start());
}

interface Board {
  readonly uptime: () => number;
  readonly delay: Delay;
  readonly watch: (pin: Pin) => EdgeWatch;
}

function probesOf(config: DeviceConfig, board: Board): Probe[] {
  const probes: Probe[] = [];
  if (config.sensors.fuelProbe) {
    const probe = createFuelProbe({
      input: () => analogRead(D34),
      delay: board.delay,
      uptime: board.uptime,
      shuntOhm: config.shuntOhm,
      referenceV: REFERENCE_V,
    });
    const start: Probe["start"] = (done) => probe.sample((level) => done({ fuelLevelPct: level }));
    probes.push({ sensor: "fuel-level", group: "power", fields: ["fuelLevelPct"], start: start });
  }
  if (config.sensors.generatorInputs) {
    const inputs = createGeneratorInputs({
      mains: () => digitalRead(D25) === 1,
      charge: () => digitalRead(D26) === 1,
      oil: () => digitalRead(D27) === 1,
      starter: () => analogRead(D35),
      starterFullScaleV: config.starterFullScaleV,
      delay: board.delay,
      uptime: board.uptime,
    });
    const fields = ["generator", "mains", "starterBatteryV"];
    const start: Probe["start"] = (done) => {
      inputs.sample((sample) => {
        done({ generator: sample.generator, mains: sample.mains, starterBatteryV: sample.starterBatteryV });
      });
    };
    probes.push({ sensor: "generator-inputs", group: "power", fields: fields, start: start });
  }
  if (config.sensors.batteryMonitor) {
    const monitor = createVeDirect({
      line: {
        open: (listener) => {
          Serial2.setup(BATTERY_BAUD, { rx: D16, tx: D17 });
          Serial2.on("data", listener);
        },
        close: () => {
          Serial2.removeAllListeners("data");
          Serial2.unsetup();
        },
      },
      delay: board.delay,
    });
    const fields = ["batteryV", "batteryA", "stateOfChargePct"];
    const start: Probe["start"] = (done) => {
      monitor.sample((sample) => {
        done({ batteryV: sample.batteryV, batteryA: sample.batteryA, stateOfChargePct: sample.stateOfChargePct });
      });
    };
    probes.push({ sensor: "battery-monitor", group: "battery", fields: fields, start: start });
  }
  if (config.sensors.peopleCounter) {
    const counter = createDoorCounter({
      watchA: board.watch(D13),
      watchB: board.watch(D14),
      beamA: () => digitalRead(D13) === 1,
      beamB: () => digitalRead(D14) === 1,
      uptime: board.uptime,
      delay: board.delay,
    });
    const start: Probe["start"] = (done) => {
      counter.sample((sample) => done({ occupancy: sample.occupancy, entries: sample.entries }));
    };
    probes.push({ sensor: "people-counter", group: "occupancy", fields: ["occupancy", "entries"], start: start });
  }
  return probes;
}

const config = readConfig();
if (config !== undefined) run(config);
else print("waakvlam: no configuration that fits its checksum");
declare function print(text: string): void;
