// A modem on a pseudo-terminal: its line is a real one, what it says is a script.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A pattern of what comes, and the answers to it in turn; the last one stays. */
export type ModemRule = readonly [pattern: string, ...answers: string[]];

/** One that works. Rules given before these come first. */
export const GOOD_MODEM: readonly ModemRule[] = [
  ["^AT\\r$", "\r\nOK\r\n"],
  ["^ATE0\\r$", "ATE0\r\r\nOK\r\n"],
  ["CPIN\\?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"],
  ["CREG\\?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n"],
  ["AT\\+CMGS=", "\r\n> "],
  ["\\x1a$", "\r\n+CMGS: 42\r\n\r\nOK\r\n"],
  ["^AT\\+C(MEE|MGF|SCS|SMP)=", "\r\nOK\r\n"],
];

export interface PtyModem {
  readonly path: string;
  /** What has come, one command or text each. */
  readonly came: readonly string[];
  stop(): Promise<void>;
}

/** Why there can be none here. */
export function noPty(): string | undefined {
  const { status } = spawnSync("python3", ["-c", "import pty, tty"], { stdio: "ignore" });
  return status === 0 ? undefined : "python3 with pty is not there";
}

export async function startPtyModem(rules: readonly ModemRule[]): Promise<PtyModem> {
  const script = fileURLToPath(new URL("./pty-modem.py", import.meta.url));
  const child = spawn("python3", [script, JSON.stringify(rules)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const came: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const path = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the modem ended with ${code}`)));
  });
  lines.on("line", (hex) => came.push(Buffer.from(hex, "hex").toString("latin1")));
  return {
    path,
    came,
    stop: () => {
      child.kill();
      return closed;
    },
  };
}
