// The one door to the environment: what systemd says to a service (sd_notify(3), sd_watchdog_enabled(3)), and who is at a shell.

export interface Supervisor {
  /** A beat is expected within this; undefined: none is. */
  readonly watchdogMs: number | undefined;
}

/** Who watches over this process; undefined when nobody asked to be told. */
export function supervisorOf(env: Readonly<Record<string, string | undefined>> = process.env): Supervisor | undefined {
  if (env["NOTIFY_SOCKET"] === undefined || env["NOTIFY_SOCKET"] === "") return undefined;
  const us = Number(env["WATCHDOG_USEC"]);
  return { watchdogMs: Number.isFinite(us) && us > 0 ? us / 1000 : undefined };
}

/** For the log of acts: the account behind sudo(8), else the one that is signed in. */
export function personAtShell(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = [env["SUDO_USER"], env["LOGNAME"], env["USER"]].find((name) => name !== undefined && name !== "");
  return named?.slice(0, 64) ?? "unknown";
}
