import { expect, test } from "vitest";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import { type Concern, createConcerns, OUT_OF_STEP_MS } from "./concerns.ts";

const devEui = "00afee7cf5ed6f1e";

function watched() {
  const clock = virtualClock(0);
  const told: string[] = [];
  const concerns = createConcerns(clock, ({ reason, devEui: of }: Concern) => told.push(`${of} ${reason}`));
  return { clock, told, ...concerns };
}

test("what a recording brings as well is told of when it still comes half an hour later", async () => {
  const { clock, told, refused } = watched();
  refused({ reason: "nonce-used", devEui });
  await clock.advance(OUT_OF_STEP_MS - 1);
  refused({ reason: "nonce-too-small", devEui });
  expect(told).toEqual([]);
  await clock.advance(1);
  refused({ reason: "nonce-used", devEui: "another" });
  refused({ reason: "counter-reset", devEui });
  expect(told).toEqual([`${devEui} counter-reset`]);
});

test("a device that is heard in between is in step", async () => {
  const { clock, told, refused, heard } = watched();
  refused({ reason: "nonce-used", devEui });
  await clock.advance(OUT_OF_STEP_MS);
  heard(devEui);
  refused({ reason: "nonce-used", devEui });
  expect(told).toEqual([]);
});

test("what no recording brings is told of at once; what strangers have on the air, and single bad frames, never", async () => {
  const { clock, told, refused } = watched();
  for (const reason of ["join-eui", "nonces-full", "key-changed", "bad-mic", "counter-replayed"] as const)
    refused({ reason, devEui });
  refused({ reason: "join-eui" });
  await clock.advance(OUT_OF_STEP_MS);
  refused({ reason: "bad-mic", devEui });
  expect(told).toEqual([`${devEui} join-eui`, `${devEui} nonces-full`, `${devEui} key-changed`]);
});
