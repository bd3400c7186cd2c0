// The record store in SQLite keeps the promises of a record store; a store that breaks one of them is caught.
import { AssertionError } from "node:assert";
import { describe, expect, test } from "vitest";
import { BROKEN, type Fault, openStore } from "../../tests/broken-stores.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { STORE_CHECKS, type StoreUnderTest } from "../../tests/store-conformance.ts";

const SEED = Number(process.env["STORE_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
console.info(`record store: STORE_SEED=${SEED}`);

function logIn(fault?: Fault): StoreUnderTest {
  const folder = temporaryFolder();
  const argument = fault === undefined ? folder.path : `${folder.path}?${fault}`;
  return {
    open: () => openStore(argument),
    child: { module: new URL("../../tests/broken-stores.ts", import.meta.url).href, argument },
    remove: async () => folder.remove(),
  };
}

async function faultFound(check: (typeof STORE_CHECKS)[number], fault?: Fault): Promise<string | undefined> {
  const log = logIn(fault);
  try {
    await check.run(log, SEED);
    return undefined;
  } catch (error) {
    // Anything else is no promise that was broken, but a check that does not run.
    if (!(error instanceof AssertionError)) throw error;
    return error.message;
  } finally {
    await log.remove();
  }
}

describe("the store in SQLite", () => {
  test.each(STORE_CHECKS)("$name", async (check) => {
    expect(await faultFound(check)).toBeUndefined();
  });
});

const FAULTS: readonly (readonly [Fault, string])[] = [
  ["acknowledges before the commit", "killed"],
  ["commits an append in two halves", "killed"],
  ["forgets the fence", "fenced"],
  ["stores twice on a resend", "sent again"],
  ["closes gaps by itself", "gaps"],
  ["loses cursors", "cursors"],
  ["reads one range only", "over ranges"],
  ["does not count what it drops", "dropped"],
  ["trims more than it was told", "oldest"],
  ["restarts its ids", "dropped"],
  ["takes all that comes", "bounded"],
  ["does not know where it stands", "health"],
];

describe("the suite catches a store that", () => {
  test.each(FAULTS)("%s", async (fault, check) => {
    const found = STORE_CHECKS.find(({ name }) => name.includes(check));
    expect(found).toBeDefined();
    if (found !== undefined) expect(await faultFound(found, fault)).toBeDefined();
  });

  test("breaks any promise that it knows of", () => {
    expect(FAULTS.map(([fault]) => fault).sort()).toEqual(Object.keys(BROKEN).sort());
  });
});
