// The scheduled copy, and what a gateway that was restored from one asks of its devices.
import { dirname, resolve } from "node:path";
import type { GatewayConfig } from "../../protocol/index.ts";
import { createFileCollector, type Sources } from "../backup/files.ts";
import { folderOf } from "../backup/folder.ts";
import { copyHistory, lacksHistory } from "../backup/history-copy.ts";
import { isOnDataDisk } from "../backup/own-disk.ts";
import { forgetRestored, readRestored } from "../backup/restore.ts";
import { type Schedule, startSchedule } from "../backup/schedule.ts";
import { passphraseOf } from "../backup/sealing.ts";
import { takeUpSetBack } from "../backup/set-back.ts";
import { filesOf, isSecretKey, type NamedFile } from "../config/files.ts";
import { readData } from "../config/rules-file.ts";
import { COUNTER_JUMP } from "../domain/downlink-queue.ts";
import { GatewayError } from "../errors.ts";
import type { Commands } from "../ingress/commands.ts";
import type { Parts } from "./parts.ts";

const DAY_MS = 86_400_000;
/** A device that has not been heard for so long has nothing left that would be missed. */
const ASK_FOR_MS = 30 * DAY_MS;

/** The passphrase opens what is sealed: with it in the copy nothing would be. */
const NEVER_COPIED = "backup/passphraseFile";
/** Who is told of alerts: numbers of people, and addresses of which some let in whoever knows them. */
const RECIPIENTS = "notify/file";

/** What a copy holds beside the journal, by the configuration. */
export function sourcesOf(config: GatewayConfig, configFile: string | undefined): Sources {
  const files = filesOf(config).filter(({ key }) => key !== NEVER_COPIED);
  let inPlan: readonly NamedFile[] = [];
  return {
    dataDir: config.data.dir,
    configFile,
    named() {
      inPlan = config.notify === undefined ? [] : (filesInPlan(config.notify.file) ?? inPlan);
      const all = [...files, ...inPlan];
      const isSecret = ({ key }: NamedFile) => key === RECIPIENTS || isSecretKey(key);
      return {
        plain: all.filter((one) => !isSecret(one)).map(({ path }) => path),
        secret: all.filter(isSecret).map(({ path }) => path),
      };
    },
  };
}

/** What the file of recipients names. Undefined while it cannot be read, as when somebody is at work in it. */
function filesInPlan(path: string): readonly NamedFile[] | undefined {
  try {
    const folder = dirname(resolve(path));
    return filesOf(readData(path).value, "recipients").map((one) => ({ ...one, path: resolve(folder, one.path) }));
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** Undefined when no copy is configured. */
export function startCopy(
  { config, journal, clock, logs }: Pick<Parts, "config" | "journal" | "clock" | "logs">,
  configFile: string | undefined,
): Schedule | undefined {
  const { backup } = config;
  if (backup === undefined) return undefined;
  const files = createFileCollector(sourcesOf(config, configFile), passphraseOf(backup.passphraseFile));
  const folder = folderOf(backup.dir, journal.epoch);
  const onSameDisk = () => isOnDataDisk(backup.dir, config.data.dir);
  const daily = {
    copy: (to: string) => copyHistory(config.data.dir, to),
    isMissing: (to: string) => lacksHistory(config.data.dir, to),
  };
  const everyMs = backup.everyS * 1000;
  return startSchedule({
    source: journal,
    folder,
    files,
    everyMs,
    onSameDisk,
    daily,
    clock,
    log: logs.area("backup").warn,
  });
}

/** Before the journal is opened: one that was set back in time gets another name. */
export function nameSetBack({ config, logs }: Pick<Parts, "config" | "logs">): void {
  const taken = takeUpSetBack(config.data.dir);
  if (taken === undefined) return;
  const { name, historyFailure } = taken;
  const history = historyFailure === undefined ? {} : { historyFailure };
  logs.area("backup").info("the data were set back: the journal has another name", { name, ...history });
}

/** After a restore: each device is asked for what the copy lacks. Kept before the mark goes, so that it is asked at least once. */
export async function askForMissing(
  { config, store, clock, logs }: Pick<Parts, "config" | "store" | "clock" | "logs">,
  commands: Pick<Commands, "ask">,
): Promise<void> {
  const mark = readRestored(config.data.dir);
  if (mark === undefined) return;
  const expiresMs = clock.nowMs() + ASK_FOR_MS;
  // Those that are not ours take no commands.
  const ours = store.registry().devices.filter(({ model }) => model === undefined);
  const asks = ours.map(({ deviceId }) => {
    // Of one that the copy has nothing of, all that it has.
    return { deviceId, command: "resend-from", argument: mark.resendFrom[deviceId], expiresMs, jump: COUNTER_JUMP };
  });
  const refused = await commands.ask(asks);
  logs.area("backup").info("restored from a copy: devices are asked for what it lacks", {
    devices: asks.length - refused.length,
  });
  forgetRestored(config.data.dir);
}
