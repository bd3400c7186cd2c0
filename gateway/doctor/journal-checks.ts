// The judgement of the journal: can it be read, is it whole, and who is behind. Pure.
import { toInstant } from "../domain/instant.ts";
import type { Finding } from "./checks.ts";
import type { DoctorFacts, JournalFacts } from "./facts.ts";

/** So many rows a reader may be behind without a word. */
export const BEHIND_ROWS_MAX = 100_000;

export function checkJournal(journal: JournalFacts, dir: string): Finding[] {
  if (journal.kind === "none") {
    return [{ check: "journal", level: "warning", what: "there is none yet: the first start makes it" }];
  }
  if (journal.kind === "unreadable") {
    const mend = `ls -l ${dir}; restore the last copy when the file is damaged`;
    return [{ check: "journal", level: "fault", what: `cannot be read: ${journal.reason}`, mend }];
  }
  if (journal.kind === "version") return [checkVersion(journal, dir)];
  return [checkFile(journal, dir), ...checkReaders(journal), ...checkLeftOut(journal)];
}

/** What is behind is told of as the reader `history`. */
export function checkHistory({ history, folder: { dir } }: Pick<DoctorFacts, "history" | "folder">): Finding[] {
  if (history.kind === "none") return [];
  if (history.kind === "open") {
    return [{ check: "history", level: "ok", what: `it opens, and has the rows up to ${history.covered}` }];
  }
  const mend = `stop the gateway, move ${dir}/history.db* away and start it: it is made anew from what the journal holds; older samples are in the last copy`;
  return [{ check: "history", level: "fault", what: `cannot be read: ${history.reason}`, mend }];
}

function checkVersion({ found, known }: Extract<JournalFacts, { kind: "version" }>, dir: string): Finding {
  const check = "journal";
  const what = `its file is of form ${found}, and this program writes form ${known}`;
  if (found > known) return { check, level: "fault", what, mend: "start the newer gateway that wrote it" };
  const mend = `keep a copy of ${dir}, then start the gateway: it changes the file, which an earlier one cannot open afterwards`;
  return { check, level: "warning", what, mend };
}

type Open = Extract<JournalFacts, { kind: "open" }>;

function checkFile({ newestId, quickCheck, checkedRows, damagedRows }: Open, dir: string): Finding {
  const check = "journal";
  const wrong = quickCheck?.filter((line) => line !== "ok") ?? [];
  const mend = `stop the gateway, keep a copy of ${dir}, and restore the last good one`;
  if (wrong.length > 0) {
    return { check, level: "fault", what: `SQLite finds it damaged: ${wrong.slice(0, 3).join("; ")}`, mend };
  }
  if (damagedRows > 0) {
    const what = `${damagedRows} of the newest ${checkedRows} rows do not fit their checksum`;
    return { check, level: "fault", what, mend: `smartctl -a on the disk of ${dir}; ${mend}` };
  }
  const file = quickCheck === undefined ? "the file was too large to check in time" : "the file is whole";
  return { check, level: "ok", what: `newest row ${newestId}; ${checkedRows} rows fit their checksums; ${file}` };
}

function checkReaders({ newestId, cursors }: Open): Finding[] {
  return cursors.map(({ name, id }) => {
    const behind = newestId - id;
    const check = `reader ${name}`;
    if (behind < 0) {
      const what = `has read row ${id}, and the newest is ${newestId}: the journal was replaced by an older one`;
      return { check, level: "fault", what, mend: "restore the newest copy" };
    }
    if (behind <= BEHIND_ROWS_MAX)
      return { check, level: "ok", what: behind === 0 ? "up to date" : `${behind} rows behind` };
    const what = `${behind} rows behind`;
    const mend = name.startsWith("sink:") ? "see its target below" : "start the gateway, and look again in a minute";
    return { check, level: "warning", what, mend };
  });
}

function checkLeftOut({ setAside, deadLetters, gapRows, lastGap, droppedEarly }: Open): Finding[] {
  const findings: Finding[] = [];
  if (gapRows > 0) {
    const last = lastGap === undefined ? "" : `; the last ${toInstant(lastGap.atMs)}: ${lastGap.why}`;
    const what = `${gapRows} rows were dropped before all had read them${last}`;
    const mend = "enlarge the disk, and see which reader is behind";
    findings.push({ check: "dropped rows", level: "warning", what, mend });
  }
  if (droppedEarly > 0) {
    const what = `${droppedEarly} acts or notes on rows went before their time: there were too many`;
    const mend = "see in the log what makes so many, such as a sink that refuses rows, and end it";
    findings.push({ check: "dropped notes", level: "warning", what, mend });
  }
  if (setAside > 0) {
    const what = `${setAside} rows could not be judged; they are kept`;
    findings.push({ check: "set aside", level: "warning", what, mend: "report it with the numbers in the log" });
  }
  for (const { sink, count } of deadLetters) {
    if (count === 0) continue;
    const what = `${count} rows that ${sink} can never take; they are kept in the journal`;
    findings.push({
      check: "dead letters",
      level: "warning",
      what,
      mend: `look at the types of the fields at ${sink}`,
    });
  }
  return findings;
}
