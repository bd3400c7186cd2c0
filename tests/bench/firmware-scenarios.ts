// What a board is put through while its variables and its turns are counted: boot, samples with acknowledgements, an outage,
// history in backlog frames, and a downlink of each kind.
import type { BuildProfile } from "../../firmware/build/profiles.ts";
import type { EngineScenario } from "../engine/scenario.ts";

const START_S = 1_800_000_000;
/** Between two samples while turns are counted. */
const COUNTED_SAMPLE_S = 20;
const DEV_EUI = "70B3D57ED0000001";
const APP_KEY = "2B7E151628AED2A6ABF7158809CF4F3C";

type Part = Partial<EngineScenario> & Pick<EngineScenario, "config">;

const RADIO = { devEui: DEV_EUI, joinEui: "70B3D57ED0000000", appKey: APP_KEY };
const NO_SENSORS = { fuelProbe: false, batteryMonitor: false, peopleCounter: false, generatorInputs: false };

/** Times of a scenario of `hours`: the outage lies in its second quarter, the downlinks in its last. */
function timesOf(hours: number) {
  const quarterS = hours * 900;
  return { outageS: quarterS, backS: 2 * quarterS, downS: 3 * quarterS };
}

function downlinksOf(atS: number, afterS: number): NonNullable<EngineScenario["downlinks"]> {
  return [
    [atS, { kind: "config", value: { counter: 1, settings: { ackEvery: 3 } } }],
    [atS + 4 * afterS, { kind: "command", value: { counter: 2, command: "report-now", argument: 0 } }],
  ];
}

function radioOf(hours: number, port: string): NonNullable<EngineScenario["lorawan"]> {
  const { outageS, backS } = timesOf(hours);
  return {
    port,
    up: [
      [0, true],
      [outageS, false],
      [backS, true],
    ],
    keys: { devEui: DEV_EUI, appKey: APP_KEY },
  };
}

function doorOn(a: string, b: string, hours: number): Part {
  return {
    config: { lorawan: RADIO, settings: { ackEvery: 4, capacity: 150 }, sensors: NO_SENSORS },
    door: { a, b, clear: 1, everyS: 40 },
    lorawan: radioOf(hours, "Serial1"),
  };
}

const ALL_SENSORS = { fuelProbe: true, batteryMonitor: true, peopleCounter: true, generatorInputs: true };

function pointOn(pins: Readonly<Record<string, string>>, config: Readonly<Record<string, unknown>>): Part {
  const at = (name: string) => pins[name] as string;
  return {
    config: {
      ...config,
      settings: { ackEvery: 4, capacity: 150, fuelLowPct: 20, fuelCriticalPct: 10 },
      sensors: ALL_SENSORS,
      shuntOhm: 150,
      starterFullScaleV: 36.3,
    },
    pins: {
      [at("fuel")]: [
        [0, 0.6],
        [3000, 0.55],
        [6000, 0.5],
      ],
      [at("starter")]: [[0, 0.35]],
      [at("mains")]: [
        [0, 1],
        [600, 0],
      ],
      [at("charge")]: [
        [0, 0],
        [640, 1],
      ],
      [at("oil")]: [
        [0, 0],
        [642, 1],
      ],
    },
    door: { a: at("beamA"), b: at("beamB"), clear: 1, everyS: 45 },
  };
}

const ESP32_PINS = { fuel: "D34", starter: "D35", mains: "D25", charge: "D26", oil: "D27", beamA: "D13", beamB: "D14" };
const XIAO_PINS = { fuel: "D2", starter: "D3", mains: "D4", charge: "D5", oil: "D8", beamA: "D9", beamB: "D10" };

function partOf(board: string, hours: number): Part | undefined {
  const { outageS, backS } = timesOf(hours);
  switch (board) {
    case "mdbt42q":
      return doorOn("D16", "D17", hours);
    case "pixljs":
      return doorOn("D5", "D6", hours);
    case "xiaoble":
      return { ...pointOn(XIAO_PINS, { lorawan: RADIO }), lorawan: radioOf(hours, "Serial1") };
    case "esp32":
      return {
        ...pointOn(ESP32_PINS, {
          wifi: { ssid: "coordination", password: "secret" },
          host: "gateway",
          port: 1883,
          lorawan: RADIO,
        }),
        mqtt: {
          reachable: [
            [0, true],
            [outageS / 2, false],
            [backS + outageS / 2, true],
          ],
        },
        lorawan: radioOf(hours, "Serial1"),
      };
    default:
      return undefined;
  }
}

/** A scenario for a board and a profile, or undefined when none is known for it. */
export function benchScenario(
  { board, profile }: BuildProfile,
  hours: number,
  reportIntervalS: number,
): EngineScenario | undefined {
  const part = partOf(board, hours);
  if (part === undefined) return undefined;
  const settings = { ...(part.config["settings"] as Record<string, number>), reportIntervalS };
  const downlinks = downlinksOf(timesOf(hours).downS, reportIntervalS);
  const config = { ...part.config, settings };
  return { name: `bench ${board}`, board, profile, seed: 11, hours, startS: START_S, downlinks, ...part, config };
}

/** Settings by name: the longest downlink that there is. */
const ALL_SETTINGS = {
  reportIntervalS: COUNTED_SAMPLE_S,
  alarmIntervalS: 15,
  fuelLowPct: 25,
  fuelCriticalPct: 12,
  socLowPct: 40,
  socCriticalPct: 20,
  capacity: 120,
  ackEvery: 3,
};

/**
 * The same while turns are counted: samples come quicker, because valgrind is slow, each kind of downlink is obeyed, and towards the
 * end the power goes, so that a ring is scanned that holds something.
 */
export function turnScenario(profile: BuildProfile, hours: number): EngineScenario | undefined {
  const scenario = benchScenario(profile, hours, COUNTED_SAMPLE_S);
  if (scenario === undefined) return undefined;
  const isOverMqtt = scenario.mqtt !== undefined;
  /** In order: on a slow link one comes with each uplink. */
  const planned = [
    { kind: "config", value: { settings: ALL_SETTINGS } },
    { kind: "command", value: { command: "report-now", argument: 0 } },
    { kind: "command", value: { command: "send-info", argument: 0 } },
    { kind: "command", value: { command: "resend-from", argument: 0 } },
    { kind: "command", value: { command: "locate", argument: 2 } },
  ] as const;
  const at = (share: number) => share * hours * 3600;
  const downlinks = planned.map(
    ({ kind, value }, i) =>
      [at((isOverMqtt ? 0.68 : 0.5) + 0.02 * i), { kind, value: { ...value, counter: i + 2 }, isOverMqtt }] as const,
  );
  // With two links also over the slow one, while the preferred one is away.
  if (isOverMqtt)
    downlinks.unshift([at(0.52), { kind: "config", value: { counter: 1, settings: ALL_SETTINGS }, isOverMqtt: false }]);
  return { ...scenario, downlinks, powerCuts: [[at(0.92), 5]] };
}
