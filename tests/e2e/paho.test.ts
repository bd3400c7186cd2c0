// The Eclipse Paho MQTT 3.1.1 interoperability suite on the gateway's broker, with a policy that lets everybody do what the
// suite does. The suite is not ours and not in this repository: it is looked for where PAHO_SUITE says, or in the usual place.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../gateway/clock.ts";
import { type BrokerPolicy, startBroker } from "../../gateway/ingress/broker.ts";

const USUAL = join(homedir(), ".local/share/waakvlam/paho/interoperability");
const SUITE = process.env["PAHO_SUITE"] ?? USUAL;
const HOW_TO = `set PAHO_SUITE to the folder with its client_test.py; otherwise ${USUAL} is looked at`;
const TEST_MS = 60_000;

/** Runs one test of the suite in a process of its own: it keeps its host, port and topics in globals of the module. */
const DRIVER = `
import sys, unittest
sys.path.insert(0, sys.argv[1])
import client_test as suite
suite.host, suite.port = "127.0.0.1", int(sys.argv[2])
suite.topics = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
suite.wildtopics = ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")
suite.nosubscribe_topics = ("test/nosubscribe",)
if len(sys.argv) < 4:
  # Not all begin with "test".
  print("\\n".join(sorted(n for n, v in vars(suite.Test).items() if callable(v) and "test" in n.lower())))
else:
  tests = unittest.TestSuite([suite.Test(sys.argv[3])])
  sys.exit(0 if unittest.TextTestRunner().run(tests).wasSuccessful() else 1)
`;

/** Everybody may do everything but subscribe to the topic for which the suite wants a refusal. */
const PERMISSIVE: BrokerPolicy = {
  welcome: async () => 0,
  // Later, as a commit would be: answers must keep their order all the same.
  take: (_client, _packet, finish) => void setImmediate(finish),
  handsOn: true,
  maySubscribe: (_client, filter) => filter !== "test/nosubscribe",
  mayReceive: () => true,
  oversized: () => undefined,
};

function namesOfSuite(): readonly string[] {
  if (!existsSync(join(SUITE, "client_test.py"))) return [];
  const listed = spawnSync("python3", ["-B", "-c", DRIVER, SUITE, "0"], { encoding: "utf8", timeout: TEST_MS });
  return listed.status === 0 ? listed.stdout.trim().split("\n") : [];
}

const NAMES = namesOfSuite();

function runOne(port: number, name: string): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn("python3", ["-B", "-c", DRIVER, SUITE, String(port), name], { timeout: TEST_MS });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)));
    child.once("close", (code) => resolve({ code, said }));
  });
}

describe.skipIf(NAMES.length === 0)(
  `the Paho interoperability suite${NAMES.length === 0 ? ` (not found, or no python3: ${HOW_TO})` : ""}`,
  () => {
    // A suite that lists nothing must not look like one that passes.
    test("has its eleven tests", () => expect(NAMES.length).toBe(11));

    // Each on a broker of its own: their clients have the same names, and each waits for many seconds.
    test.concurrent.each(NAMES.map((name) => [name]))("%s", async (name) => {
      const broker = await startBroker(
        { host: "127.0.0.1", port: 0, clock: systemClock, keepaliveSMax: 0 },
        PERMISSIVE,
      );
      try {
        const { code, said } = await runOne(broker.address.port, name);
        expect(code, said).toBe(0);
      } finally {
        await broker.close();
      }
    });
  },
);
