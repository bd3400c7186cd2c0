import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import {
  createAnswerSweep,
  endRequest,
  type LorawanRequest,
  listRequests,
  putRequest,
  REQUESTS_MAX,
  takeAnswer,
} from "./lorawan-requests.ts";

const folder = temporaryFolder();
const dir = join(folder.path, "data");
const ACT = { atMs: NOON_MS, actor: "root", action: "lorawan-nonces-flushed", object: "alm-01-t1", detail: "" };
const FLUSH: LorawanRequest = { kind: "flush-nonces", devEui: "24e124713d491234", act: ACT };
afterEach(() => {
  for (const { requestId } of listRequests(dir)) endRequest(dir, requestId);
});

test("a request waits until it is ended, and its answer is read once", () => {
  expect(listRequests(dir)).toEqual([]);
  putRequest(dir, "one", FLUSH);
  expect(listRequests(dir)).toEqual([{ requestId: "one", request: FLUSH }]);
  expect(listRequests(dir)).toHaveLength(1);
  expect(takeAnswer(dir, "one")).toBeUndefined();
  endRequest(dir, "one", { done: true });
  expect(listRequests(dir)).toEqual([]);
  expect([takeAnswer(dir, "one"), takeAnswer(dir, "one")]).toEqual([{ done: true }, undefined]);
  expect(statSync(join(dir, "lorawan-requests")).mode & 0o777).toBe(0o700);
});

test("what is none is told as none; of many some at a time", () => {
  putRequest(dir, "one", FLUSH);
  const place = join(dir, "lorawan-requests");
  writeFileSync(join(place, "bad.request.json"), "{");
  writeFileSync(join(place, "big.request.json"), JSON.stringify({ ...FLUSH, more: "x".repeat(20_000) }));
  writeFileSync(join(place, "other.request.json"), '{"kind":"explode"}');
  writeFileSync(join(place, "half.request.json.new"), "{");
  expect(listRequests(dir).map(({ request }) => request?.kind)).toEqual([
    undefined,
    undefined,
    "flush-nonces",
    undefined,
  ]);
  for (let i = 0; i < REQUESTS_MAX + 5; i++) putRequest(dir, `more-${i}`, FLUSH);
  expect(listRequests(dir)).toHaveLength(REQUESTS_MAX);
});

test("answers that nobody fetched go", () => {
  const place = join(dir, "lorawan-requests");
  const answers = () => readdirSync(place).filter((name) => name.includes("answer"));
  const sweep = createAnswerSweep(dir);
  putRequest(dir, "old", FLUSH);
  endRequest(dir, "old", 1);
  sweep(5_000);
  sweep(65_000);
  expect(answers()).toEqual(["old.answer.json"]);
  sweep(65_001);
  expect(answers()).toEqual([]);
  folder.remove();
});
