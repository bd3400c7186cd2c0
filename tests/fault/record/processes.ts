// Child processes of the proofs: started, waited for, ended by their id.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atEnd } from "./endings.ts";

export const WRITER = fileURLToPath(new URL("./writer.ts", import.meta.url));
/** For what comes in the end also at a low priority on a busy machine: a release runs under nice. */
export const PATIENCE_MS = 180_000;
/** What Node made of the sources: a process that is killed is gone before it could have used its own. */
export const COMPILED = fileURLToPath(new URL("../../out/compiled/", import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  /** Its first line. */
  readonly line: string;
  /** Its exit code, or its signal. */
  readonly gone: Promise<number | string>;
}

/** The child, which is killed when this process ends before it, however that ends. */
export function ended<C extends ChildProcess>(child: C): C {
  child.once(
    "exit",
    atEnd(() => void child.kill("SIGKILL")),
  );
  return child;
}

/** Starts a program of ours and waits for its first line. `ipc` lets it be spoken to. */
export async function start(
  path: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly ipc?: boolean } = {},
): Promise<Started> {
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...(options.env ?? process.env), NODE_COMPILE_CACHE: COMPILED },
    stdio: ["ignore", "pipe", "inherit", ...(options.ipc === true ? (["ipc"] as const) : [])],
  });
  const isGone = atEnd(() => void child.kill("SIGKILL"));
  const gone = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => {
      isGone();
      resolve(code ?? signal ?? -1);
    });
  });
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${path} did not start within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    child.stdout?.once("data", (data) => {
      clearTimeout(timer);
      resolve(String(data).trim());
    });
    void gone.then((how) => {
      clearTimeout(timer);
      reject(new Error(`${path} ended at its start: ${how}`));
    });
  });
  return { child, line, gone };
}

/** Ended once as it wants: what Node made of the sources is written then, and spares the starts that follow most of their time. */
export async function warmUp(path: string, args: readonly string[]): Promise<void> {
  const { child, gone } = await start(path, args);
  child.kill("SIGTERM");
  const how = await gone;
  if (how !== 0) throw new Error(`${path} ended with ${how}`);
}

/** Without warning, and waits until it is gone. */
export async function kill({ child, gone }: Started): Promise<void> {
  child.kill("SIGKILL");
  await gone;
}
