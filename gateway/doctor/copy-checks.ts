// What the doctor makes of the copy. Pure.
import { toInstant } from "../domain/instant.ts";
import { type Finding, ok } from "./checks.ts";
import type { CopyFacts, DoctorFacts } from "./facts.ts";
import { giveTo } from "./mends.ts";

/** A copy is late when so many steps, and some minutes of trying again, brought nothing. */
const STEPS_LATE = 3;
const LATE_MS = 600_000;
const DAY_MS = 86_400_000;
/** The history is copied once a day, and tried again every hour. */
const HISTORY_LATE_MS = 2 * DAY_MS;
const CHECK = "copy";

export function checkCopy({ copy, http, nowMs, account }: DoctorFacts): Finding[] {
  if (copy === undefined) {
    const what = "none is configured: what is on this disk is lost with it";
    return [{ check: CHECK, level: "warning", what, mend: "mount a second disk, and name it as backup.dir" }];
  }
  const { place } = copy;
  if (place.kind !== "there") return [checkPlace(copy), ...checkPassphrase(copy, account)];
  const found = [
    ...checkDisk(copy, account),
    ...checkNewest(copy, nowMs, http.answer === "gateway"),
    ...checkHistory(copy),
    ...checkParts(copy),
    ...checkPassphrase(copy, account),
  ];
  return found.some((one) => one.check === CHECK) ? found : [ok(CHECK, wellOf(copy, nowMs)), ...found];
}

function wellOf({ dir, found, passphrase }: CopyFacts, nowMs: number): string {
  const age = found?.newestMs === undefined ? "" : `, ${spanOf(nowMs - found.newestMs)} old`;
  const keys = passphrase.kind === "none" ? "keys are left out: 'waakvlam sheet' prints them" : "keys are sealed";
  return `in ${dir}${age}; ${keys}`;
}

function checkPlace({ dir, place }: CopyFacts): Finding {
  const level = "fault";
  if (place.kind === "missing") {
    const what = `${dir} is not there: its disk is not mounted`;
    return { check: CHECK, level, what, mend: `mount ${dir}; or mkdir ${dir} where it is no disk of its own` };
  }
  const what = `${dir} cannot be looked at: ${place.kind === "unreadable" ? place.reason : "its disk does not answer"}`;
  return { check: CHECK, level, what, mend: `umount -f -l ${dir} && mount ${dir}` };
}

function checkDisk({ dir, place }: CopyFacts, account: string): Finding[] {
  if (place.kind !== "there") return [];
  const findings: Finding[] = [];
  if (!place.writable) {
    const what = `${dir} cannot be written by ${account}`;
    findings.push({ check: CHECK, level: "fault", what, mend: giveTo(account, dir) });
  }
  if (place.sameDisk) {
    const what = `${dir} is on the disk of the data, and lost with it: nothing is mounted there, or it was meant so`;
    findings.push({ check: CHECK, level: "warning", what, mend: `mount ${dir}` });
  }
  return findings;
}

function checkNewest({ found, everyS }: CopyFacts, nowMs: number, isRunning: boolean): Finding[] {
  if (found === undefined) return [];
  const { newestMs, damaged, folder } = found;
  const findings: Finding[] = [];
  if (damaged.length > 0) {
    const what = `${damaged.join(", ")} in ${folder} is not whole`;
    findings.push({ check: CHECK, level: "fault", what, mend: `waakvlam verify ${folder}; then waakvlam backup` });
  }
  if (newestMs === undefined) {
    const what = `there is no complete copy in ${folder}`;
    findings.push({ check: CHECK, level: "fault", what, mend: "waakvlam backup" });
    return findings;
  }
  const ageMs = nowMs - newestMs;
  if (ageMs <= STEPS_LATE * everyS * 1_000 + LATE_MS) return findings;
  const what = `the newest is ${spanOf(ageMs)} old (${toInstant(newestMs)})`;
  const why = isRunning ? "journalctl -u waakvlam -o cat | grep backup" : "systemctl start waakvlam";
  const level = isRunning || ageMs > DAY_MS ? "fault" : "warning";
  findings.push({ check: CHECK, level, what, mend: `waakvlam backup; ${why}` });
  return findings;
}

/** Its own copy can fail beside one that is current: it is large, and some disks take no large files. */
function checkHistory({ found }: CopyFacts): Finding[] {
  if (found?.history === undefined || found.newestMs === undefined) return [];
  const { folder, newestMs, history } = found;
  const lateMs = newestMs - (history.writtenMs ?? Number.NEGATIVE_INFINITY);
  if (lateMs <= HISTORY_LATE_MS) return [];
  const what =
    history.writtenMs === undefined
      ? `the history is not in ${folder}, and lost with this disk`
      : `the history in ${folder} is ${spanOf(lateMs)} older than the rest`;
  return [{ check: CHECK, level: "warning", what, mend: "waakvlam backup" }];
}

function checkParts({ found }: CopyFacts): Finding[] {
  if (found === undefined || found.parts === 0) return [];
  const what = `${found.parts} half-written files in ${found.folder}, of copies that were ended`;
  return [{ check: CHECK, level: "warning", what, mend: "waakvlam backup" }];
}

function checkPassphrase({ passphrase }: CopyFacts, account: string): Finding[] {
  if (passphrase.kind !== "unusable") return [];
  const { path, reason } = passphrase;
  const what = `keys cannot be sealed: ${reason}`;
  return [{ check: "copy passphrase", level: "fault", what, mend: `chmod 600 ${path} && ${giveTo(account, path)}` }];
}

function spanOf(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} days`;
}
