// What a binary is like: its variables, its flash, and how far that is the board's.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoardTable } from "../../firmware/boards/table.ts";
import { partsOf } from "../../firmware/simulator/board-parts.ts";
import { realClock } from "../../firmware/simulator/real-clock.ts";

export interface EngineKind {
  readonly version: string;
  /** Variables it has, and bytes of one. */
  readonly variables: number;
  readonly variableBytes: number;
  /** In use before any program. */
  readonly variablesAtBoot: number;
  readonly pageBytes: number;
  /** Where its Storage begins, in addresses and in its flash file, and the file's length. */
  readonly storageAddress: number;
  readonly storageAt: number;
  readonly fileBytes: number;
  /** Pins that the board has and this binary has not. */
  readonly missingPins: readonly string[];
  /** Variables, page size and Storage address are the board's. */
  readonly isModel: boolean;
}

const PROBE_MS = 15_000;
const MARK = "waakvlam.probe";
const known = new Map<string, Promise<EngineKind>>();

/** Runs code in an engine and gives its output; the engine is killed once it has printed `until`. */
function probe(binary: string, folder: string, args: readonly string[], until: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
    let said = "";
    const over = (error?: Error) => {
      forget();
      child.kill("SIGKILL");
      if (error === undefined) resolve(said);
      else reject(error);
    };
    const forget = realClock.after(PROBE_MS, () => over(new Error(`${binary} does not answer: ${said.slice(-300)}`)));
    child.on("error", over);
    child.stdout.on("data", (data: Buffer) => {
      said += data.toString("latin1");
      if (said.includes(until)) over();
    });
  });
}

function storageStart(file: Buffer): number {
  const at = file.indexOf(MARK, 0, "latin1");
  if (at < 4) throw new Error("the engine has no flash file of its own");
  return at - 4;
}

async function look(binary: string, table: BoardTable): Promise<EngineKind> {
  const folder = mkdtempSync(join(tmpdir(), "waakvlam-probe-"));
  try {
    const parts = partsOf(table.name);
    const pins = [...Array.from({ length: parts.lastPin + 1 }, (_, i) => `D${i}`), ...parts.pins];
    const code = [
      `require("Storage").write("${MARK}","x");`,
      `var F=require("Flash"),a=[${table.storageAddress},268435456],m=process.memory(),r={};`,
      "for(var i in a){var p=F.getPage(a[i]);if(p&&r.address===undefined&&F.read(4,a[i])[0]==1){r.address=a[i];r.page=p.length;}}",
      "r.variables=m.total;r.bytes=m.blocksize;r.version=process.version;",
      `r.pins=${JSON.stringify(pins)}.filter(p=>global[p]===undefined);`,
      'print("~"+JSON.stringify(r)+"~");',
    ].join("");
    const said = await probe(binary, folder, ["-e", code], "}~");
    const found = JSON.parse(said.slice(said.indexOf("~{") + 1, said.indexOf("}~") + 1)) as {
      address?: number;
      page: number;
      variables: number;
      bytes: number;
      version: string;
      pins: string[];
    };
    const file = readFileSync(join(folder, "espruino.flash"));
    const storageAt = storageStart(file);
    if (found.address === undefined) throw new Error(`${binary}: where its Storage lies is not known`);
    file.fill(255);
    const boot = Buffer.from('print("~"+process.memory().usage+"~")', "latin1");
    file.writeUInt32LE(boot.length, storageAt);
    file.fill(0, storageAt + 4, storageAt + 32);
    file.write(".boot0", storageAt + 4, "latin1");
    boot.copy(file, storageAt + 32);
    writeFileSync(join(folder, "espruino.flash"), file);
    const booted = await probe(binary, folder, [], "~\r\n");
    return {
      version: found.version,
      variables: found.variables,
      variableBytes: found.bytes,
      variablesAtBoot: Number(booted.slice(booted.indexOf("~") + 1).split("~")[0]),
      pageBytes: found.page,
      storageAddress: found.address,
      storageAt,
      fileBytes: file.length,
      missingPins: found.pins,
      isModel:
        found.variables === table.variables && found.page === table.pageBytes && found.address === table.storageAddress,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function describeEngine(binary: string, table: BoardTable): Promise<EngineKind> {
  const key = `${binary} ${table.name}`;
  const kind = known.get(key) ?? look(binary, table);
  known.set(key, kind);
  return kind;
}
