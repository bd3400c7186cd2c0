import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createTally, REFUSALS, type RefusalNote } from "./reasons.ts";

test("the README lists every reason and no other", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const section = readme.split("## The network server\n")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)].map((one) => one[1]));
  expect(listed.toSorted()).toEqual([...REFUSALS].toSorted());
});

test("each is counted and told", () => {
  const told: RefusalNote[] = [];
  const tally = createTally((note) => told.push(note));
  tally.refuse({ reason: "bad-mic", stationId: "a" });
  tally.refuse({ reason: "bad-mic" });
  tally.count("uplink-taken");
  expect(tally.counts()).toEqual({ "bad-mic": 2, "uplink-taken": 1 });
  expect(told).toEqual([{ reason: "bad-mic", stationId: "a" }, { reason: "bad-mic" }]);
});
