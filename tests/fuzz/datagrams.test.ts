// Random and mutated datagrams of base stations: each is counted or taken, never an exception, and what is remembered is bounded.
// FUZZ_RUNS=1000000 is the long form.
import { expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { createStations, PENDING_MAX } from "../../gateway/ingress/lorawan/stations/stations.ts";
import { NOON_MS } from "../fixtures.ts";
import { virtualClock } from "../virtual-clock.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
console.info(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}`);

const EUI = "aa555a0000000101";
const PACKET =
  '{"tmst":1,"freq":868.1,"stat":1,"modu":"LORA","datr":"SF9BW125","rssi":-80,"lsnr":7,"size":15,"data":"QPF9vkkAAgABlUN4disR"}';
const BASES = [
  [0, `{"rxpk":[${PACKET},${PACKET}],"stat":{"rxnb":2,"rxok":2,"rxfw":2,"ackr":100.0,"dwnb":0,"txnb":0}}`],
  [0, `{"rxpk":[${PACKET}]}`],
  [2, ""],
  [5, '{"txpk_ack":{"error":"TOO_LATE"}}'],
  [5, ""],
] as const;

test("mutated datagrams throw nothing and leave nothing behind", () => {
  const random = createRandom(SEED);
  const pick = (below: number) => Math.floor(random.between(0, below));
  const clock = virtualClock(NOON_MS);
  let nowMs = 0;
  let heard = 0;
  let answers = 0;
  const stations = createStations({
    stations: [{ eui: EUI, name: "Roof" }],
    clock: { ...clock, monotonicMs: () => nowMs },
    randomToken: () => pick(65_536),
    send: () => void answers++,
  });
  stations.onHeard((frame) => {
    heard++;
    expect(frame.phy.length).toBeGreaterThan(0);
    expect(frame.phy.length).toBeLessThan(256);
    expect(Number.isInteger(frame.frequencyHz) && frame.dataRate >= 0 && frame.dataRate <= 5).toBe(true);
  });
  stations.take(Buffer.from(`02000002${EUI}`, "hex"), { address: "10.0.0.7", port: 1_700 });
  for (let i = 0; i < RUNS; i++) {
    nowMs += 40;
    const [kind, text] = BASES[pick(BASES.length)] as (typeof BASES)[number];
    const base = Buffer.concat([Buffer.from(`02abcd0${kind}${EUI}`, "hex"), Buffer.from(text)]);
    const cut = random.next() < 0.2 ? base.subarray(0, pick(base.length + 1)) : base;
    const bytes = random.next() < 0.05 ? Buffer.from(Array.from({ length: pick(300) }, () => pick(256))) : cut;
    for (let flips = pick(4); flips > 0 && bytes.length > 0; flips--) {
      const at = pick(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << pick(8));
    }
    const address = random.next() < 0.5 ? "10.0.0.7" : `10.9.${pick(256)}.${pick(256)}`;
    if (random.next() < 0.03) {
      const phy = new Uint8Array(bytes.subarray(0, 12));
      const transmission = { stationId: EUI, phy, frequencyHz: 868_100_000, dataRate: 3, powerDbm: 14, counterUs: i };
      void stations.transmit(transmission);
    }
    stations.take(bytes, { address, port: 1_700 });
  }
  const [state] = stations.states();
  const reasons = new Set([...Object.keys(stations.refused()), ...Object.keys(state?.refused ?? {})]);
  // It has been everywhere.
  expect(heard).toBeGreaterThan(RUNS / 100);
  expect(answers).toBeGreaterThan(RUNS / 100);
  expect([...reasons]).toEqual(expect.arrayContaining(["too-short", "version", "kind", "json", "unknown-station"]));
  // Reasons, not senders, are what is kept.
  expect(reasons.size).toBeLessThan(30);
  // Nobody answers, and only so many are waited for.
  expect(state?.transmissions.failed ?? 0).toBeGreaterThan(RUNS / 100 - PENDING_MAX);
});
