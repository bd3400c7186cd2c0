// The subjects of the ingest bench as processes: ours and Aedes by node, Mosquitto as Debian has it, Node-RED as a user sets
// it up. Each says its port, and how many rows it has stored where its PUBACK does not mean that.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { ended } from "../fault/record/processes.ts";
import { freePort, waitFor } from "../fixtures.ts";

const SERVER = fileURLToPath(new URL("./ingest-server.ts", import.meta.url));
const MOSQUITTO = "/usr/sbin/mosquitto";
const START_MS = 60_000;
const TABLE = "CREATE TABLE reports(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, topic TEXT, frame TEXT)";

export interface Running {
  readonly port: number;
  /** Rows that are stored; absent where a PUBACK means that one is. */
  stored?(): number;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Why it cannot run here, or undefined. */
  missing(): string | undefined;
  start(dir: string): Promise<Running>;
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.kill("SIGKILL")) await gone;
}

async function isListening(port: number): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function ours(name: string): Subject {
  return {
    name,
    missing: () => undefined,
    start: async (dir) => {
      const child = ended(
        spawn(process.execPath, [SERVER, "--subject", name, "--dir", dir], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      );
      const port = await new Promise<number>((resolve, reject) => {
        child.stdout.once("data", (data) => resolve(Number(String(data))));
        child.once("exit", () => reject(new Error(`${name} did not start`)));
      });
      return { port, stop: () => stop(child) };
    },
  };
}

const mosquitto: Subject = {
  name: "mosquitto",
  missing: () => (existsSync(MOSQUITTO) ? undefined : "mosquitto is not installed"),
  start: async (dir) => {
    const port = await freePort();
    const config = join(dir, "mosquitto.conf");
    // Without the last two it waits for more to send, and refuses what is under way beyond twenty.
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "set_tcp_nodelay true",
      "max_inflight_messages 0",
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const child = ended(spawn(MOSQUITTO, ["-c", config], { stdio: "ignore" }));
    await waitFor("mosquitto", () => isListening(port), START_MS);
    return { port, stop: () => stop(child) };
  },
};

/** The flow that its palette leads to: a broker, mqtt in, a function for the parameters, a prepared insert. */
function flowOf(port: number, database: string): readonly object[] {
  const at = { z: "tab", x: 0, y: 0 };
  const insert = "INSERT INTO reports(at, topic, frame) VALUES($at, $topic, $frame)";
  const params =
    "msg.params = { $at: Date.now(), $topic: msg.topic, $frame: msg.payload.toString('hex') }; return msg;";
  return [
    { id: "tab", type: "tab", label: "ingest" },
    { id: "broker", type: "aedes broker", ...at, mqtt_port: port, mqtt_ws_bind: "port", wires: [[], []] },
    {
      id: "server",
      type: "mqtt-broker",
      broker: "127.0.0.1",
      port: String(port),
      protocolVersion: "4",
      keepalive: "60",
    },
    // biome-ignore format: one node a line reads as the flow does
    { id: "in", type: "mqtt in", ...at, topic: "waakvlam/v1/devices/+/up", qos: "1", datatype: "buffer", broker: "server", inputs: 0, wires: [["params"]] },
    { id: "params", type: "function", ...at, func: params, outputs: 1, wires: [["insert"]] },
    { id: "file", type: "sqlitedb", db: database, mode: "RWC" },
    { id: "insert", type: "sqlite", ...at, mydb: "file", sqlquery: "prepared", sql: insert, wires: [[]] },
  ];
}

function nodeRed(name: string, isWal: boolean, home: string | undefined, why: string): Subject {
  return {
    name,
    missing: () => (home === undefined ? why : undefined),
    start: async (dir) => {
      const port = await freePort();
      const database = join(dir, "reports.db");
      // Counting waits for its turn: without WAL a writer holds readers off.
      const db = new DatabaseSync(database, { timeout: START_MS });
      if (isWal) db.exec("PRAGMA journal_mode=WAL");
      db.exec(TABLE);
      writeFileSync(join(dir, "flow.json"), JSON.stringify(flowOf(port, database)));
      writeFileSync(join(dir, "package.json"), "{}");
      const settings = join(dir, "settings.js");
      writeFileSync(
        settings,
        `module.exports = { uiPort: ${await freePort()}, uiHost: "127.0.0.1", flowFile: "flow.json", nodesDir: [], ` +
          `nodesExcludes: [], logging: { console: { level: "error" } }, telemetry: { enabled: false } };\n`,
      );
      const red = join(home ?? "", "node_modules/node-red/red.js");
      const child = ended(
        spawn(process.execPath, [red, "--userDir", dir, "--settings", settings], {
          stdio: ["ignore", "ignore", "inherit"],
          // Its palette is looked for beside Node-RED itself.
          cwd: home,
        }),
      );
      await waitFor("Node-RED", () => isListening(port), START_MS);
      const count = db.prepare("SELECT max(id) AS n FROM reports");
      return {
        port,
        stored: () => Number((count.get() as { n: number | null }).n ?? 0),
        stop: async () => {
          await stop(child);
          db.close();
        },
      };
    },
  };
}

/** In the order of the rows. `home` holds Node-RED with its nodes; without it, `why` says what is missing. */
export function subjectsOf(home: string | undefined, why: string): readonly Subject[] {
  return [
    ours("waakvlam"),
    ours("waakvlam-commit-only"),
    ours("aedes"),
    mosquitto,
    nodeRed("node-red", false, home, why),
    nodeRed("node-red-wal", true, home, why),
  ];
}
