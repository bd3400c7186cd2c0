import { afterEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../tests/fixtures.ts";
import { startApp } from "./app.ts";
import { describeFailure } from "./cli/failures.ts";
import { parseConfig } from "./config/config.ts";
import { listenFault } from "./listen-fault.ts";
import { createLogs } from "./log.ts";

const AT = { host: "h", port: 443 };
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

describe("why nothing can be listened to", () => {
  test.each([
    ["EADDRINUSE", "ADDRESS_IN_USE", "another port"],
    ["EACCES", "ADDRESS_NOT_ALLOWED", "A port below 1024 .* a higher one"],
    ["EADDRNOTAVAIL", "ADDRESS_UNKNOWN", "an address or interface of this machine"],
    ["ENOTFOUND", "ADDRESS_UNKNOWN", "'ip address' lists them"],
    ["EAI_AGAIN", "ADDRESS_UNKNOWN", "may not be there yet"],
  ])("%s is told of as %s, with what to do", (code, wanted, advice) => {
    const fault = listenFault(Object.assign(new Error(code), { code }), AT);
    expect(fault).toMatchObject({ code: wanted, detail: AT });
    expect(describeFailure(fault).lines.at(-1)).toMatch(new RegExp(advice));
  });

  test("what says nothing of the address stays what it is", () => {
    const error = Object.assign(new Error("too many files"), { code: "EMFILE" });
    expect(listenFault(error, AT)).toBe(error);
    expect(listenFault("odd", AT).message).toBe("odd");
  });
});

test.each(["mqtt", "http"] as const)("a gateway whose %s address no machine here has is told so", async (section) => {
  const folder = temporaryFolder();
  stops.push(folder.remove);
  const raw = { data: { dir: folder.path }, mqtt: { port: 0 }, http: { port: 0 } };
  const config = parseConfig(raw, { path: "test", baseDir: folder.path });
  const logs = createLogs({ level: "error", destination: { write: () => undefined } });
  // An address for documents (RFC 5737).
  const starting = startApp({ ...config, [section]: { ...config[section], host: "192.0.2.1" } }, { logs });
  await expect(starting).rejects.toMatchObject({ code: "ADDRESS_UNKNOWN", detail: { host: "192.0.2.1" } });
});
