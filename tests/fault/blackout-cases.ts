// The cases of the blackout proof: outages of 1, 12, 48 and 72 hours over each way, with what else goes wrong in a blackout.
import type { BlackoutCase } from "./blackout-case.ts";

interface Profile {
  readonly board: string;
  readonly profile: string;
}

const ESP32: Profile = { board: "esp32", profile: "point" };
/** A sample every 15 minutes over LoRaWAN; those whose program fits its slot are played. */
const RADIO_BOARDS: readonly Profile[] = [
  { board: "xiaoble", profile: "point" },
  { board: "mdbt42q", profile: "door" },
];
/** Sequences begin anew on the way. */
const NEAR_END = 65_400;

function overMqtt(outageH: number, part: Partial<BlackoutCase> = {}): BlackoutCase {
  const name = `mqtt ${outageH} h`;
  return { name, ...ESP32, links: "mqtt", intervalS: 60, outageH, cuts: [2 + outageH / 8, 3], restarts: 6, ...part };
}

function overRadio(one: Profile, outageH: number, part: Partial<BlackoutCase> = {}): BlackoutCase {
  const name = `lorawan ${one.board} ${outageH} h`;
  const cuts: [number, number] = [1 + outageH / 12, 2];
  return { name, ...one, links: "lorawan", intervalS: 900, outageH, cuts, restarts: 6, ...part };
}

/** Played by the short form, too. */
const SHORT: readonly BlackoutCase[] = [
  overMqtt(12, { firstSequence: NEAR_END }),
  ...RADIO_BOARDS.flatMap((one) => [overRadio(one, 1), overRadio(one, 72, { firstSequence: NEAR_END })]),
  {
    ...overMqtt(12),
    name: "both: MQTT 12 h away, LoRaWAN stays",
    links: "both",
    isRadioUp: true,
    cuts: [2, 2],
  },
  overMqtt(12, {
    name: "mqtt 12 h, gateway's clock not set before the drain",
    clocks: [
      [0, "unset"],
      [14, 0],
    ],
  }),
];

const XIAOBLE = RADIO_BOARDS[0] as Profile;

const LONG: readonly BlackoutCase[] = [
  overMqtt(1),
  overMqtt(48),
  overMqtt(72, { firstSequence: 60_000 }),
  ...RADIO_BOARDS.flatMap((one) => [overRadio(one, 12), overRadio(one, 48)]),
  { ...overMqtt(48), name: "both: both 48 h away", links: "both", cuts: [4, 2] },
  overRadio(XIAOBLE, 72, { name: "lorawan, a sample a minute at SF12: thinned", intervalS: 60, dataRateMax: 0 }),
  overMqtt(48, {
    name: "mqtt 48 h, gateway's clock jumps by days",
    clocks: [
      [1, 30],
      [20, "unset"],
      [30, -40],
      [49.6, 100],
      [50, 0],
      [51, -90],
      [53, 0],
    ],
  }),
  overRadio(XIAOBLE, 48, {
    name: "lorawan 48 h, gateway's clock jumps by days",
    clocks: [
      [1, -50],
      [20, 60],
      [49.6, "unset"],
      [52, -100],
      [54, 40],
      [58, 0],
    ],
  }),
];

export function casesOf(isShort: boolean): readonly BlackoutCase[] {
  return isShort ? SHORT : [...SHORT, ...LONG];
}

/** The case that the controls play. */
export const CONTROL_CASE: BlackoutCase = overMqtt(12, {
  name: "control",
  cuts: [4, 6],
  restarts: 12,
  clocks: [
    [0, "unset"],
    [17, 0],
  ],
});
