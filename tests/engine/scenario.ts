// A scenario: what happens around one board, as a timeline. It is played to a virtual board or to a real engine in lock step,
// and gives what the board did.
import { readFileSync } from "node:fs";
import { createPacketReaderOfBroker } from "../../firmware/simulator/broker-packets.ts";
import {
  createPlainRandom,
  type DrivenBoard,
  type Inputs,
  type Output,
} from "../../firmware/simulator/driven-board.ts";
import { createLorawanNetwork } from "../../firmware/simulator/lorawan-network.ts";
import { createModem } from "../../firmware/simulator/modem.ts";
import { createModemRadio } from "../../firmware/simulator/modem-radio.ts";
import { createSchedule, type Schedule } from "../../firmware/simulator/schedule.ts";
import { downlinkTopic, encodeCommand, encodeConfig } from "../../protocol/wire.ts";
import { createPlainGateway, type PlainGateway } from "./gateway.ts";

type Timeline<T> = readonly (readonly [atS: number, value: T])[];

export interface PlannedDownlink {
  readonly kind: "command" | "config";
  readonly value: Record<string, unknown>;
  /** Over the broker, although there is a radio. */
  readonly isOverMqtt?: boolean;
}

export interface EngineScenario {
  readonly name: string;
  readonly board: string;
  readonly profile: string;
  readonly seed: number;
  readonly hours: number;
  /** Takes minutes: only in the long form. */
  readonly isLong?: boolean;
  /** Unix seconds at its beginning. */
  readonly startS: number;
  /** The device's configuration, as `waakvlam-device flash` takes it; device and key are filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly pins?: Readonly<Record<string, Timeline<number>>>;
  /** People who pass the beams of a door: so many a minute, one in so many out again. */
  readonly door?: { readonly a: string; readonly b: string; readonly clear: number; readonly everyS: number };
  readonly mqtt?: { readonly reachable: Timeline<boolean> };
  readonly lorawan?: {
    readonly port: string;
    readonly up: Timeline<boolean>;
    readonly lossUp?: number;
    readonly lossDown?: number;
    readonly reach?: number;
    readonly keys: { readonly devEui: string; readonly appKey: string };
  };
  readonly downlinks?: Timeline<PlannedDownlink>;
  /** The power goes, for so many seconds. */
  readonly powerCuts?: Timeline<number>;
}

export interface Played {
  /** Everything that the board did, with its time. */
  readonly outputs: readonly string[];
  /** Frames as they arrived at the gateway. */
  readonly frames: readonly string[];
  readonly boots: number;
  readonly turns: number;
}

export const DEVICE_ID = "alm-01-d1";
export const KEY = "ab".repeat(32);

export function readEngineScenario(name: string): EngineScenario {
  return JSON.parse(readFileSync(new URL(`./scenarios/${name}.json`, import.meta.url), "utf8")) as EngineScenario;
}

interface World {
  readonly schedule: Schedule;
  readonly gateway: PlainGateway;
  take(output: Output): void;
  /** The board has lost its power: its connections are gone. */
  lost(): void;
}

const WAY_MS = 20;

/** The broker's side of the board's connections. */
function brokerOf(scenario: EngineScenario, schedule: Schedule, gateway: PlainGateway, inputs: Inputs) {
  const open = new Map<number, { take(data: string): void; publish(payload: Uint8Array): void }>();
  let reachable = false;
  const drop = () => {
    for (const socket of open.keys()) inputs.socket(socket, "close");
    open.clear();
  };
  for (const [atS, value] of scenario.mqtt?.reachable ?? []) {
    schedule.after(atS * 1000, () => {
      reachable = value;
      inputs.wifi(value);
      if (!value) drop();
    });
  }
  return {
    connect: (socket: number) => {
      if (!reachable) return;
      const later = (work: () => void) => {
        schedule.after(WAY_MS, () => {
          if (open.get(socket) === mine) work();
        });
      };
      const broker = createPacketReaderOfBroker({
        reply: (data) => later(() => inputs.socket(socket, "data", data)),
        published: (payload) => {
          const frame = gateway.open(payload);
          if (frame === undefined) throw new Error("a frame whose tag does not fit");
          const ack = gateway.take(frame);
          if (ack !== undefined) mine.publish(ack);
        },
      });
      const mine = {
        take: (data: string) => broker.take(data),
        publish: (frame: Uint8Array) =>
          later(() => inputs.socket(socket, "data", broker.publish(downlinkTopic(DEVICE_ID), gateway.seal(frame)))),
      };
      open.set(socket, mine);
      later(() => inputs.socket(socket, "opened"));
    },
    write: (socket: number, data: string) => open.get(socket)?.take(data),
    end: (socket: number) => {
      if (!open.has(socket)) return;
      open.delete(socket);
      schedule.after(0, () => inputs.socket(socket, "close"));
    },
    forget: () => open.clear(),
    publish: (frame: Uint8Array) => {
      for (const connection of open.values()) connection.publish(frame);
    },
  };
}

/** The modem on the board's serial line, and the network behind it. */
function radioOf(scenario: EngineScenario, schedule: Schedule, gateway: PlainGateway, inputs: Inputs) {
  const { lorawan } = scenario;
  if (lorawan === undefined) return undefined;
  const random = createPlainRandom(scenario.seed * 7 + 1);
  const { devEui, appKey } = lorawan.keys;
  const network = createLorawanNetwork({
    random,
    keys: new Map([[devEui, appKey]]),
    deliver: (_device, payload) => {
      const ack = gateway.take(payload);
      // The network's own check stands in the place of a tag.
      if (ack !== undefined) network.queue(devEui, ack);
    },
  });
  network.settings.lossUp = lorawan.lossUp ?? 0;
  network.settings.lossDown = lorawan.lossDown ?? 0;
  network.settings.reach = lorawan.reach ?? 6;
  for (const [atS, value] of lorawan.up) {
    schedule.after(atS * 1000, () => {
      network.settings.isUp = value;
    });
  }
  const modem = createModem({ schedule, random, radio: (parts) => createModemRadio(network, parts) });
  let close: (() => void) | undefined;
  return {
    open: () => {
      close?.();
      close = modem.open((data) => inputs.serial(lorawan.port, data));
    },
    close: () => {
      close?.();
      close = undefined;
    },
    write: (data: string) => modem.write(data),
    power: (isOn: boolean) => modem.setPower(isOn),
    publish: (frame: Uint8Array) => network.queue(devEui, gateway.seal(frame)),
  };
}

function people(scenario: EngineScenario, schedule: Schedule, inputs: Inputs): void {
  const { door } = scenario;
  if (door === undefined) return;
  const random = createPlainRandom(scenario.seed * 13 + 5);
  const set = (pin: string, isBroken: boolean) => inputs.pin(pin, isBroken ? 1 - door.clear : door.clear);
  inputs.pin(door.a, door.clear);
  inputs.pin(door.b, door.clear);
  const next = () => {
    schedule.after(1500 + random.wait(1 / (door.everyS * 1000)), () => {
      const [first, second] = random.next() < 0.55 ? [door.a, door.b] : [door.b, door.a];
      const stepMs = random.between(120, 260);
      set(first, true);
      schedule.after(stepMs, () => set(second, true));
      schedule.after(2 * stepMs, () => set(first, false));
      schedule.after(3 * stepMs, () => set(second, false));
      next();
    });
  };
  next();
}

function createOutside(scenario: EngineScenario, inputs: Inputs): World {
  const schedule = createSchedule();
  const key = new Uint8Array(Buffer.from(KEY, "hex"));
  const gateway = createPlainGateway(key, () => scenario.startS + schedule.nowMs() / 1000);
  const broker = brokerOf(scenario, schedule, gateway, inputs);
  const radio = radioOf(scenario, schedule, gateway, inputs);
  for (const [pin, timeline] of Object.entries(scenario.pins ?? {})) {
    for (const [atS, value] of timeline) schedule.after(atS * 1000, () => inputs.pin(pin, value));
  }
  people(scenario, schedule, inputs);
  for (const [atS, { kind, value, isOverMqtt }] of scenario.downlinks ?? []) {
    schedule.after(atS * 1000, () => {
      const frame = kind === "command" ? encodeCommand(value as never) : encodeConfig(value as never);
      if (radio === undefined || isOverMqtt) broker.publish(frame);
      else radio.publish(frame);
    });
  }
  const port = scenario.lorawan?.port;
  return {
    schedule,
    gateway,
    take: (output) => {
      if (output.kind === "connect") broker.connect(output.socket);
      else if (output.kind === "socket") broker.write(output.socket, output.data);
      else if (output.kind === "end") broker.end(output.socket);
      else if (output.kind === "open" && output.port === port) radio?.open();
      else if (output.kind === "close" && output.port === port) radio?.close();
      else if (output.kind === "write" && output.port === port) radio?.write(output.data);
    },
    lost: () => {
      broker.forget();
      radio?.close();
    },
  };
}

function describe(atMs: number, output: Output): string {
  const data = "data" in output ? { ...output, data: Buffer.from(output.data, "latin1").toString("hex") } : output;
  return `${atMs.toFixed(3)} ${JSON.stringify(data)}`;
}

export interface PlayOptions {
  /** Called every so many seconds of the scenario, with the board at rest. */
  readonly everyS?: number;
  readonly look?: (atS: number) => Promise<void>;
}

/** Plays the whole scenario to a board that is off. */
export async function play(scenario: EngineScenario, board: DrivenBoard, options: PlayOptions = {}): Promise<Played> {
  const outside = createOutside(scenario, board);
  const outputs: string[] = [];
  const endMs = scenario.hours * 3_600_000;
  let nowMs = 0;
  let bootMs = 0;
  let boots = 0;
  let turns = 0;
  let isOn = false;
  let lookMs = (options.everyS ?? Number.POSITIVE_INFINITY) * 1000;

  async function boot(): Promise<void> {
    bootMs = nowMs;
    boots++;
    isOn = true;
    await board.boot();
  }

  for (const [atS, forS] of scenario.powerCuts ?? []) {
    outside.schedule.after(atS * 1000, () => {
      board.powerOff();
      outside.lost();
      isOn = false;
      outside.schedule.after(forS * 1000, () => {
        wanted = true;
      });
    });
  }
  let wanted = true;
  outside.schedule.runUntil(0);
  while (nowMs < endMs) {
    if (wanted) await boot();
    wanted = false;
    const dueMs = Math.min(outside.schedule.nextMs(), endMs, lookMs);
    if (isOn) {
      const step = await board.run(dueMs - bootMs);
      turns++;
      nowMs = step.outputs.length === 0 ? dueMs : Math.min(dueMs, bootMs + step.nowMs);
      outside.schedule.moveTo(nowMs);
      for (const output of step.outputs) {
        outputs.push(describe(bootMs + step.nowMs, output));
        outside.take(output);
        if (output.kind !== "reboot") continue;
        outside.lost();
        wanted = true;
      }
    } else nowMs = dueMs;
    outside.schedule.runUntil(nowMs);
    if (nowMs >= lookMs && isOn) {
      await options.look?.(nowMs / 1000);
      lookMs += (options.everyS ?? 0) * 1000;
    }
  }
  return { outputs, frames: outside.gateway.frames, boots, turns };
}
