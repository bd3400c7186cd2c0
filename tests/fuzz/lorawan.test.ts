// What is on the air, changed at random, through the whole network server: counted under a name or passed over, never an exception, never
// handed on, and never more in memory than the limits allow. FUZZ_RUNS=1000000 for a long run.
import { expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { FRAMES_MAX } from "../../gateway/ingress/lorawan/network/dedupe.ts";
import type { Identity } from "../../gateway/ingress/lorawan/network/identities.ts";
import { REFUSALS, SUCCESSES } from "../../gateway/ingress/lorawan/network/reasons.ts";
import { dataUplink, JOINER, joinRequest } from "../lorawan-air.ts";
import { testNetwork } from "../lorawan-network.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
console.info(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}`);
/** Frames between two steps of the clock: more than are heard in that time. */
const BURST = 400;
const HEAP_BYTES_MAX = 48 * 1024 * 1024;

const ABP: Identity = {
  ...{ devEui: "0102030405060708", deviceId: "alm-02-d1", version: "1.0.2", isEnabled: true },
  abp: { devAddr: "49be7df1", nwkSKey: "11".repeat(16), appSKey: "22".repeat(16) },
};

test("frames that nobody sent are refused by name, and change nothing", { timeout: 60_000 + RUNS }, async () => {
  const random = createRandom(SEED);
  const below = (n: number) => Math.floor(random.next() * n);
  const net = await testNetwork(JOINER, ABP);
  const device = await net.join(1);
  await net.hear(device.uplink({ counter: 3 }));
  const golden = [
    joinRequest(JOINER, 2),
    device.uplink({ counter: 4, isConfirmed: true, control: 0xc0, options: Uint8Array.of(2, 13) }),
    device.uplink({ counter: 70_000, payload: new Uint8Array(222) }),
    dataUplink("49be7df1", device.keys, { counter: 1, port: 0 }),
    device.uplink({ counter: 5, port: undefined }),
  ];
  const before = { rows: [...net.store.rows], saves: net.store.saves, heap: 0, taken: net.taker.taken.length };

  function mutated(): Uint8Array {
    const base = golden[below(golden.length)] as Uint8Array;
    const phy = new Uint8Array(random.next() < 0.2 ? below(300) : base.length + below(3) - 1);
    for (let i = 0; i < phy.length; i++) phy[i] = base[i] ?? below(256);
    const flips = phy.length === base.length ? 1 + below(6) : below(6);
    for (let i = 0; i < flips && phy.length > 0; i++) {
      const at = random.next() < 0.5 ? below(Math.min(phy.length, 9)) : below(phy.length);
      phy[at] = (phy[at] as number) ^ (1 << below(8));
    }
    return phy;
  }

  const hexes = new Set(golden.map((one) => Buffer.from(one).toString("hex")));
  for (let run = 0; run < RUNS; run++) {
    const phy = mutated();
    if (hexes.has(Buffer.from(phy).toString("hex"))) continue;
    const stationId = `aa555a00000000${below(64).toString(16).padStart(2, "0")}`;
    const odd = random.next() < 0.02 ? { frequencyHz: below(2 ** 31), dataRate: below(20) - 5, snr: Number.NaN } : {};
    net.air.hear(phy, { stationId, counterUs: below(2 ** 32), dataRate: below(6), ...odd });
    if (run % BURST === BURST - 1) {
      await net.clock.advance(500);
      net.refused.length = 0;
    }
    if (run === Math.floor(RUNS / 2)) before.heap = process.memoryUsage().heapUsed;
  }
  await net.clock.advance(5_000);
  const counts = net.server.counts();
  const names = new Set<string>([...REFUSALS, ...SUCCESSES]);
  expect(Object.keys(counts).filter((name) => !names.has(name))).toEqual([]);
  expect(Object.keys(counts), `FUZZ_SEED=${SEED}`).toEqual(
    expect.arrayContaining(["bad-mic", "frame-type", "options-length"]),
  );
  expect(BURST).toBeLessThan(FRAMES_MAX);
  expect([...net.store.rows]).toEqual(before.rows);
  expect([net.store.saves, net.taker.taken.length]).toEqual([before.saves, before.taken]);
  expect(process.memoryUsage().heapUsed - before.heap).toBeLessThan(HEAP_BYTES_MAX);
  // And it still takes what is genuine.
  await net.clock.advance(120_000);
  await net.hear(golden[1] as Uint8Array, { stationId: "aa555a0000000001" });
  expect(net.taker.taken.at(-1)?.counter, `FUZZ_SEED=${SEED}`).toBe(4);
  await net.server.stop();
});
