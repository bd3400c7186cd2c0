import { describe, expect, test } from "vitest";
import type { Link } from "../hal.ts";
import { createPreferredLink } from "./preferred.ts";

interface Way extends Link {
  up: boolean;
  readonly sent: string[];
  readonly waiting: (() => void)[];
}

function way(name: string, size: number, isSlow: boolean): Way {
  const sent: string[] = [];
  const waiting: (() => void)[] = [];
  const it: Way = {
    up: true,
    sent,
    waiting,
    isUp: () => it.up,
    room: () => (it.up ? size : 0),
    spare: () => (it.up ? size - 1 : 0),
    costS: (bytes) => (isSlow ? bytes : 0),
    isSlow: () => isSlow,
    send: (frame, isConfirmed, done) => {
      sent.push(`${name} ${frame[0]} ${isConfirmed}`);
      waiting.push(() => done(it.up));
    },
  };
  return it;
}

function bench() {
  const mqtt = way("mqtt", 242, false);
  const radio = way("radio", 51, true);
  return { mqtt, radio, link: createPreferredLink(mqtt, radio) };
}

describe("two ways as one", () => {
  test("the first is taken while it is up, with all that it says of itself", () => {
    const { link, mqtt, radio } = bench();
    const state = [link.isUp(), link.room(), link.spare(), link.costS(20), link.isSlow()];
    expect(state).toEqual([true, 242, 241, 0, false]);
    link.send(Uint8Array.of(7), false, () => undefined);
    expect([mqtt.sent, radio.sent]).toEqual([["mqtt 7 false"], []]);
  });

  test("the second is taken while the first is down, and says that it is slow", () => {
    const { link, mqtt, radio } = bench();
    mqtt.up = false;
    const state = [link.isUp(), link.room(), link.spare(), link.costS(20), link.isSlow()];
    expect(state).toEqual([true, 51, 50, 20, true]);
    link.send(Uint8Array.of(8), true, () => undefined);
    expect([mqtt.sent, radio.sent]).toEqual([[], ["radio 8 true"]]);
    mqtt.up = true;
    expect([link.isSlow(), link.room()]).toEqual([false, 242]);
  });

  test("a first that is up and busy is waited for: no frame goes both ways", () => {
    const mqtt = way("mqtt", 0, false);
    const radio = way("radio", 51, true);
    const link = createPreferredLink(mqtt, radio);
    expect(link.isUp()).toBe(true);
    expect(link.room()).toBe(0);
  });

  test("with both down there is no link", () => {
    const { link, mqtt, radio } = bench();
    mqtt.up = radio.up = false;
    expect([link.isUp(), link.room(), link.spare()]).toEqual([false, 0, 0]);
  });

  test("what was sent one way is reported by that way, also when the other is preferred by then", () => {
    const { link, mqtt, radio } = bench();
    const done: boolean[] = [];
    mqtt.up = false;
    link.send(Uint8Array.of(9), false, (taken) => done.push(taken));
    mqtt.up = true;
    for (const run of radio.waiting) run();
    expect(done).toEqual([true]);
  });
});
