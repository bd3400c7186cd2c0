// The cases of the LoRaWAN proof, and what each has to reach.
import type { CaseResult, LorawanCase } from "./lorawan-case.ts";

/** 72 hours of reports every 15 minutes: minutes of history on the air, one device alone (13, 27 and 72 frames of fixed records at 1 %). */
const ALONE_MIN = { 5: 8, 3: 29, 2: 79 } as const;
/** To that comes: the next report (15 min), the random start of history after a long outage (64 min), and a look a minute. */
const START_MIN = 81;
const FLEET_MIN = 240;
const LIVE_SHARE_MIN = 0.9;
/** Shares of an hour in the sub-bands L, M (1 %) and P (10 %), in whatever hour. */
const DUTY_MAX: Readonly<Record<string, number>> = { l: 0.01, m: 0.01, p: 0.1, other: 0 };
/**
 * A modem keeps to them by a pause of 99 times what it has sent (LoRaWAN 1.0.2 §7: T/d − T): an hour that begins and ends with a frame holds one more,
 * 51 bytes at SF12 at the longest.
 */
const ONE_FRAME = 2_800 / 3_600_000;

export interface Target {
  readonly one: LorawanCase;
  /** What it did not reach, each with its figure. */
  missed(result: CaseResult): string[];
}

const PLAIN: LorawanCase = {
  name: "",
  devices: 1,
  board: "xiaoble",
  rate: 3,
  stations: 1,
  hours: 24,
  outageH: 0,
  loss: 0.1,
  spreadMin: 60,
};

/** Of every case: all stored, within what the band allows. */
function common(result: CaseResult): string[] {
  const missed: string[] = [];
  if (result.drainedMin === undefined) missed.push("not drained in 72 h");
  if (result.samples === 0) missed.push("no sample was taken");
  const air = [
    ["base station", result.stationDuty, 0],
    ["device", result.deviceDuty, ONE_FRAME],
  ] as const;
  for (const [who, duty, more] of air)
    for (const [band, share] of Object.entries(duty))
      if (share > (DUTY_MAX[band] ?? 0) + more)
        missed.push(`a ${who} was on the air ${(share * 100).toFixed(2)} % in ${band}`);
  return missed;
}

function target(part: Partial<LorawanCase> & { readonly name: string }, more: Target["missed"] = () => []): Target {
  return {
    one: { ...PLAIN, ...part },
    missed: (result) => [...common(result), ...more(result)].map((what) => `${part.name}: ${what}`),
  };
}

function live(devices: number, hours: number): Target {
  return target({ name: `${devices} devices, ${hours} h, 10 % lost`, devices, hours });
}

/** One device alone drains within the time that fixed records would take, once it has begun. */
function alone(rate: 2 | 3 | 5): Target {
  const name = `72 h of backlog, one device, SF${12 - rate}`;
  return target({ name, rate, hours: 2, outageH: 72, loss: 0, spreadMin: 5 }, ({ busyMin, drainedMin }) => [
    ...(busyMin > ALONE_MIN[rate] ? [`${busyMin} min of history, ${ALONE_MIN[rate]} at most`] : []),
    ...((drainedMin ?? 0) > ALONE_MIN[rate] + START_MIN ? [`${drainedMin} min from the link's return`] : []),
  ]);
}

function together(devices: number, outageH: number, drainMinMax: number): Target {
  const name = `${outageH} h of backlog, ${devices} devices, SF9`;
  return target({ name, devices, hours: 2, outageH, loss: 0 }, ({ drainedMin, liveShare }) => [
    ...((drainedMin ?? 0) > drainMinMax ? [`${drainedMin} min, ${drainMinMax} at most`] : []),
    ...(liveShare < LIVE_SHARE_MIN ? [`${(liveShare * 100).toFixed(1)} % of live samples in time`] : []),
  ]);
}

/** Both hear nearly everything: what is answered through the other has its reason in airtime or in a frame that was not heard. */
function twoStations(devices: number, hours: number): Target {
  const name = "two base stations, the gateway killed, all heard again";
  return target(
    { name, devices, hours, stations: 2, kills: hours, cuts: 2, isTroubled: true },
    ({ through, kills }) => [
      ...(through.best < 9 * through.other ? [`${through.other} downlinks through the worse base station`] : []),
      ...(kills === 0 ? ["the gateway was never killed"] : []),
    ],
  );
}

function withMqtt(hours: number): Target {
  return target({ name: "MQTT beside it, half of the time", board: "esp32", hours, kills: 4, hasMqtt: true });
}

export function targetsOf(isShort: boolean): readonly Target[] {
  if (isShort) return [live(10, 3), alone(3), twoStations(3, 3)];
  return [
    live(200, 24),
    alone(5),
    alone(3),
    alone(2),
    twoStations(8, 24),
    withMqtt(24),
    together(50, 72, FLEET_MIN),
    // Its time is told; that all of it arrives, and that live samples do meanwhile, is the target.
    together(200, 72, Number.POSITIVE_INFINITY),
  ];
}

/** For the controls: killed often, with much on the way, on a good air, so that what shows is what was broken. */
export const CONTROL_CASE: LorawanCase = {
  ...PLAIN,
  name: "control",
  devices: 3,
  hours: 2,
  intervalS: 120,
  loss: 0.05,
  spreadMin: 5,
  kills: 8,
};
