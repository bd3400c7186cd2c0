// Another configuration while the gateway runs: looked at whole, then put in force part by part. What cannot be is undone,
// and a file with a mistake changes nothing.
import type { GatewayConfig } from "../../protocol/index.ts";
import {
  afterReload,
  changeText,
  configDifference,
  fileChangeText,
  fileDifference,
  sumsAfterReload,
} from "../config/difference.ts";
import { checkedFiles, fileSums } from "../config/files.ts";
import { planDifference } from "../config/notify-difference.ts";
import { profileOf, rulesDifference } from "../config/profile.ts";
import type { Profile } from "../domain/profile.ts";
import type { Engine } from "../engine/engine.ts";
import { GatewayError } from "../errors.ts";
import type { AreaLog, Logs } from "../log.ts";
import type { MetricsToken } from "./metrics-token.ts";
import type { Notify } from "./notify.ts";
import type { SelfFigures } from "./self.ts";
import type { SinkSet } from "./sink-set.ts";
import type { Supply } from "./supply.ts";
import type { Certificates } from "./tls.ts";

export interface ReloadParts {
  readonly config: GatewayConfig;
  readonly logs: Logs;
  readonly engine: Pick<Engine, "setProfile" | "profile">;
  readonly sinks: SinkSet;
  readonly supply: Supply;
  readonly token: MetricsToken;
  readonly certificates: Certificates;
  readonly notify: Pick<Notify, "prepare" | "plan">;
  readonly self: Pick<SelfFigures, "setConfigProblem">;
  /** Of the registry, as it is now: a rule may name no other. */
  pointIds(): readonly string[];
  readonly source: {
    /** Reads the file again, where there is one. Throws as `createReread`. */
    readConfig?(inForce: GatewayConfig): GatewayConfig;
    /** For the lines of problems. */
    readonly configPath?: string;
  };
}

export interface Reload {
  readonly kind: "loaded" | "unchanged" | "refused";
  /** One line a key. */
  readonly changes: readonly string[];
  /** Why it was refused. */
  readonly problems: readonly string[];
}

/** One at a time; never rejects. */
export function createReload(parts: ReloadParts): () => Promise<Reload> {
  const { source } = parts;
  const log = parts.logs.area("config");
  let inForce = parts.config;
  let sums = fileSums(inForce);
  let running: Promise<unknown> = Promise.resolve();

  async function once(): Promise<Reload> {
    try {
      const next = checkedFiles(source.readConfig?.(inForce) ?? inForce, source.configPath, parts.pointIds());
      const kept = afterReload(inForce, next);
      const profile = profileOf(kept);
      const rules = rulesDifference(parts.engine.profile(), profile);
      const read = fileSums(next);
      const plan = parts.notify.plan();
      await putInForce(parts, { before: inForce, next: kept, profile }, log);
      const changes = [
        ...configDifference(inForce, next).map(changeText),
        ...fileDifference(sums, read).map(fileChangeText),
        ...rules,
        ...planDifference(plan, parts.notify.plan()),
      ];
      inForce = kept;
      sums = sumsAfterReload(sums, read);
      parts.self.setConfigProblem(undefined);
      // Somebody asked and waits for the answer, whatever the level.
      parts.logs.setLevel("info");
      if (changes.length === 0) log.info("the configuration has not changed");
      else log.info("configuration loaded", { changes });
      parts.logs.setLevel(kept.log.level);
      return { kind: changes.length === 0 ? "unchanged" : "loaded", changes, problems: [] };
    } catch (error) {
      const problems = problemsOf(error, source.configPath);
      log.error("the new configuration is refused: the old one stays in force", { problems });
      parts.self.setConfigProblem(problems[0] ?? "unknown");
      return { kind: "refused", changes: [], problems };
    }
  }

  return () => {
    const next = running.then(once);
    running = next;
    return next;
  };
}

/** Those of another file than the configuration's own with its name before them. */
function problemsOf(error: unknown, configPath: string | undefined): readonly string[] {
  if (!(error instanceof GatewayError)) return [error instanceof Error ? error.message : String(error)];
  const { problems, ...rest } = error.detail;
  const path = rest["path"];
  if (Array.isArray(problems))
    return path === undefined || path === configPath ? problems : problems.map((one) => `${path}: ${one}`);
  return [
    `${error.message} (${Object.entries(rest)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ")})`,
  ];
}

/** Sinks read their token files anew, so they begin again even when no key has changed. */
async function putInForce(
  parts: ReloadParts,
  {
    before,
    next,
    profile,
  }: { readonly before: GatewayConfig; readonly next: GatewayConfig; readonly profile: Profile },
  log: AreaLog,
): Promise<void> {
  const swap = parts.sinks.prepare(next);
  const token = parts.token.prepare(next);
  const certificates = parts.certificates.prepare(next);
  const notify = parts.notify.prepare(next);
  try {
    await swap();
  } catch (error) {
    log.error("sinks could not begin: the old ones come back", { error: String(error) });
    await parts.sinks.prepare(before)();
    throw error;
  }
  token();
  notify();
  certificates();
  parts.engine.setProfile(profile);
  if (JSON.stringify(next.ups) !== JSON.stringify(before.ups)) parts.supply.use(next.ups);
}
