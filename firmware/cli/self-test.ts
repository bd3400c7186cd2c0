// `waakvlam-device self-test`: on the bench, what table, checksums, slots, configuration and ring say; with `--field`, that a
// device in use answers nothing.
import { connect } from "node:net";
import { knockStep, selfTestFindings, selfTestSteps } from "../../protocol/console/self-test.ts";
import { type BoardTable, FILES } from "../boards/table.ts";
import { loaderBytes, slotLayout } from "../build/image.ts";
import { realClock } from "../simulator/real-clock.ts";
import { type CliIo, type ExitCode, findBoard, openPort, type PortOptions, talk, tellFailure } from "./io.ts";

export interface SelfTestOptions extends PortOptions {
  /** The device is in use: its consoles must be closed. */
  readonly field: boolean;
  /** Its address in the network, for the telnet port. */
  readonly host?: string;
  readonly telnetPort?: number;
  readonly json: boolean;
}

interface Finding {
  readonly subject: string;
  readonly isGood: boolean;
  readonly detail: string;
}

const TELNET_PORT = 23;
const TELNET_MS = 3_000;

/** Whether something listens; a port that only stays silent does listen. */
export function listensOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (listens: boolean) => {
      forget();
      socket.destroy();
      resolve(listens);
    };
    const forget = realClock.after(TELNET_MS, () => end(false));
    socket.on("connect", () => end(true));
    socket.on("error", () => end(false));
  });
}

async function fieldFindings(table: BoardTable, options: SelfTestOptions, io: CliIo): Promise<Finding[] | undefined> {
  const line = await openPort(options, io);
  if (line === undefined) return undefined;
  const knock = await talk(line, [knockStep(table.name.toUpperCase())], io);
  line.destroy();
  const isSilent = knock.kind === "failed" && knock.problem.code === "no-answer";
  const findings: Finding[] = [
    { subject: "serial console", isGood: isSilent, detail: isSilent ? "answers nothing" : "answers" },
  ];
  if (options.host === undefined) io.err("Without --host the telnet port was not tried.");
  else {
    const port = options.telnetPort ?? TELNET_PORT;
    const listens = await listensOn(options.host, port);
    findings.push({ subject: `telnet ${options.host}:${port}`, isGood: !listens, detail: listens ? "open" : "closed" });
  }
  io.err("Bluetooth is not tried from here: look with a phone's scanner, it must not show the board.");
  return findings;
}

async function benchFindings(table: BoardTable, options: SelfTestOptions, io: CliIo): Promise<Finding[] | ExitCode> {
  const line = await openPort(options, io);
  if (line === undefined) return 4;
  const plan = { ...table, ...slotLayout(table), loaderFile: FILES.loader, loader: loaderBytes(table) };
  const result = await talk(line, selfTestSteps(plan), io);
  line.destroy();
  if (result.kind === "done") return selfTestFindings(plan, result.answers);
  tellFailure("Not tested", result, table.name, io);
  return 1;
}

export async function selfTest(options: SelfTestOptions, io: CliIo): Promise<ExitCode> {
  const table = findBoard(options.board, io);
  if (table === undefined) return 2;
  const found = options.field
    ? ((await fieldFindings(table, options, io)) ?? 4)
    : await benchFindings(table, options, io);
  if (typeof found === "number") return found;
  const isGood = found.every((one) => one.isGood);
  if (options.json) io.out(JSON.stringify({ board: table.name, field: options.field, isGood, findings: found }));
  else for (const one of found) io.out(`${one.isGood ? "ok  " : "BAD "} ${one.subject}: ${one.detail}`);
  return isGood ? 0 : 1;
}
