// Profile `door`: a door counter over LoRaWAN, for the smallest boards.
import { BACKLOG_OCCUPANCY, BACKLOG_PHASE, takeCodes } from "../../protocol/wire.ts";
import { peopleAlarms } from "../device/alarms.ts";
import type { Device } from "../device/device.ts";
import { groupsOf, peopleCodes } from "../device/frames.ts";
import { bytesOfHex } from "../device/settings.ts";
import { type Hmac, openLater } from "../device/tags.ts";
import { createDoorCounter } from "../drivers/door-counter.ts";
import {
  assembleDevice,
  type BoardNumbers,
  delay,
  openRing,
  readConfig,
  recover,
  uptime,
  watchPin,
} from "./compose.ts";
import { createRadio, type RadioPins } from "./radio.ts";

/** Bit of the group in a report, and bits of the sensors in an info frame: a people counter. */
const GROUPS = 4;
const SENSORS = 16;

export interface DoorPins extends RadioPins {
  /** High while the beam arrives: outside, inside. */
  readonly beamA: Pin;
  readonly beamB: Pin;
  readonly lamp: Pin;
  readonly buzzer: Pin;
  readonly seen: Pin;
}

/** `hmacOf` makes what checks the tags of this key. */
export function startDoor(board: BoardNumbers, pins: DoorPins, hmacOf: (key: Uint8Array) => Hmac): void {
  const config = readConfig(board);
  const ring = openRing(board);
  const hmac = hmacOf(bytesOfHex(config.key));
  const row = BACKLOG_PHASE.concat(BACKLOG_OCCUPANCY);
  const counter = createDoorCounter({
    watchA: (listener) => watchPin(pins.beamA, listener),
    watchB: (listener) => watchPin(pins.beamB, listener),
    beamA: () => !!digitalRead(pins.beamA),
    beamB: () => !!digitalRead(pins.beamB),
    uptime: uptime,
    delay: delay,
  });
  const link = createRadio(
    pins,
    config.lorawan as NonNullable<typeof config.lorawan>,
    () => device.linkChanged(),
    (frame) => device.received(frame, true),
  );
  const device: Device = assembleDevice(board, config, ring, {
    groupBits: GROUPS,
    row: row,
    sensors: SENSORS,
    probes: [
      {
        from: 1,
        count: 2,
        start: (done) => {
          counter.sample((isStuck, people, entries) => done(peopleCodes(isStuck, people, entries)));
        },
      },
    ],
    alarms: (standing, now, settings, tell) => peopleAlarms(standing, now, 1, settings, tell),
    changes: undefined,
    link: link,
    recount: (people) => {
      counter.setOccupancy(people);
      return true;
    },
    thinning: undefined,
    open: (sealed, done) => openLater(hmac, sealed, done),
    ownSupply: () => NRF.getBattery() - SUPPLY_V_MIN,
    lamp: (isOn) => digitalWrite(pins.lamp, isOn),
    buzzer: (isOn) => digitalWrite(pins.buzzer, isOn),
    seen: (isOn) => digitalWrite(pins.seen, isOn),
  });
  recover(ring, () => {
    const codes = new Uint16Array(row.length);
    const newest = ring.newest();
    if (newest && groupsOf(newest) === GROUPS) takeCodes(newest, row, codes);
    counter.restore(codes[1] as number, codes[2] as number);
    delay(1, device.start);
    delay(2, link.start);
  });
}

/** The chip's own supply at which writes must stop; a volt above it is full. */
const SUPPLY_V_MIN = 2;
