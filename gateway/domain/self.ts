// What the gateway watches about itself, and which rules it breaks now. Pure: facts in, candidates out; the delays are
// counted by `stepMatter`, on the monotonic clock.
import type { CopyState, NotifyState, SinkState } from "../../protocol/index.ts";
import type { AlertValues } from "./alert-text.ts";
import type { Profile, SelfProfile } from "./profile.ts";
import type { Candidate } from "./rules.ts";

export interface DiskFacts {
  readonly freeBytes: number;
  readonly sizeBytes: number;
  /** By the configuration: below it the journal drops rows early. */
  readonly lowWaterBytes?: number;
}

/** What `upsd` says of the gateway's own supply (variables of RFC 9271 appendix A). */
export type UpsFacts =
  | {
      readonly kind: "reading";
      readonly onBattery: boolean;
      /** The supply itself says that it is nearly empty, or orders a shutdown. */
      readonly lowBattery: boolean;
      readonly chargePct?: number;
      readonly runtimeS?: number;
    }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface SinkFacts {
  readonly name: string;
  readonly state: SinkState["state"];
  readonly reason?: string;
  readonly behindRows: number;
  /** Age of the oldest row that it has not taken. */
  readonly oldestS?: number;
}

/** A network server of somebody else that devices come by. */
export interface NetworkFacts {
  readonly name: string;
  /** Why there is no connection; undefined while there is one. */
  readonly reason?: string;
}

export interface HistoryFacts {
  /** Rows of the journal that are in no chunk yet. */
  readonly behindRows?: number;
  /** Of its file. */
  readonly bytes?: number;
  /** Since rows were last written to it. */
  readonly compactionAgeS?: number;
  /** Why it cannot be opened or written now. */
  readonly failing?: string;
}

export interface SelfFacts {
  /** Undefined until it was first measured. */
  readonly disk?: DiskFacts;
  readonly journal: { readonly failing?: string; readonly lowWater?: boolean; readonly gapRows: number };
  readonly sinks: readonly SinkFacts[];
  /** Those that are configured. */
  readonly networks?: readonly NetworkFacts[];
  /** Undefined before it was opened. */
  readonly history?: HistoryFacts;
  /** Undefined when no copy is configured. */
  readonly copy?: CopyState;
  /** Undefined where nobody is to be told. */
  readonly notify?: NotifyState;
  readonly clock: {
    readonly trusted: boolean;
    /** The last jump of the wall clock, and how long ago it was. */
    readonly jump?: { readonly seconds: number; readonly agoS: number };
  };
  /** Undefined where none is configured, or before its first answer. */
  readonly ups?: UpsFacts;
  /** Why the last configuration that was offered is not in force. */
  readonly configProblem?: string;
}

export interface SelfMatter {
  /** `sink/influxdb`: the first word names the kind. */
  readonly matter: string;
  readonly candidates: readonly Candidate[];
  readonly offDelayS: number;
}

/** Free space below which people are warned (store of 64 GB: 3.2 GB), or below which rows go early, whichever comes first. */
export function lowWaterBytes(disk: Omit<DiskFacts, "freeBytes">, { diskLow }: Pick<SelfProfile, "diskLow">): number {
  return Math.max(diskLow.freeBytesMin, (disk.sizeBytes * diskLow.freePctMin) / 100, disk.lowWaterBytes ?? 0);
}

/** Every matter that can be judged by these facts. `activeRule` is the rule of the open alert on a matter. */
export function selfMatters(
  facts: SelfFacts,
  profile: Profile,
  activeRule: (matter: string) => string | undefined,
): SelfMatter[] {
  const rules = profile.gateway;
  const { offDelayS } = rules;
  const matters: SelfMatter[] = [
    { matter: "disk/gateway", candidates: diskCandidates(facts, rules, activeRule("disk/gateway")), offDelayS },
    { matter: "clock/gateway", candidates: clockCandidates(facts, rules), offDelayS },
    { matter: "supply/gateway", candidates: upsCandidates(facts, rules, activeRule("supply/gateway")), offDelayS },
    { matter: "config/gateway", candidates: configCandidates(facts, rules), offDelayS: 0 },
    { matter: "history/gateway", candidates: historyCandidates(facts, rules), offDelayS },
    { matter: "copy/gateway", candidates: copyCandidates(facts, rules), offDelayS },
  ];
  for (const { channel, failing } of facts.notify?.channels ?? []) {
    const values = { channel, reason: failing ?? "" };
    const candidates = failing === undefined ? [] : [candidate("notify-down", rules.notifyDown, values)];
    matters.push({ matter: `notify/${channel}`, candidates, offDelayS });
  }
  if (facts.notify !== undefined) {
    const { undelivered: count } = facts.notify;
    const candidates = count === 0 ? [] : [candidate("notify-undelivered", rules.notifyUndelivered, { count })];
    matters.push({ matter: "notify/notices", candidates, offDelayS: 0 });
  }
  for (const { name, reason } of facts.networks ?? []) {
    const values = { network: name, reason: (reason ?? "").slice(0, 200) };
    const candidates = reason === undefined ? [] : [candidate("network-unreachable", rules.networkUnreachable, values)];
    matters.push({ matter: `network/${name}`, candidates, offDelayS });
  }
  for (const sink of facts.sinks) {
    const matter = `sink/${sink.name}`;
    matters.push({ matter, candidates: sinkCandidates(sink, rules, activeRule(matter)), offDelayS });
  }
  return matters;
}

function diskCandidates({ disk, journal }: SelfFacts, { diskLow }: SelfProfile, active: string | undefined) {
  if (disk === undefined) return [];
  const low = lowWaterBytes(disk, { diskLow });
  const bound = active === "disk-low" ? low * diskLow.offFactor : low;
  if (disk.freeBytes >= bound && journal.lowWater !== true) return [];
  const values = { freeBytes: disk.freeBytes, lowWaterBytes: Math.round(low) };
  return [candidate("disk-low", diskLow, values)];
}

function clockCandidates({ clock }: SelfFacts, { clockUntrusted, clockJumped }: SelfProfile): Candidate[] {
  if (!clock.trusted) return [candidate("clock-untrusted", clockUntrusted, {})];
  const { jump } = clock;
  if (jump === undefined || Math.abs(jump.seconds) < clockJumped.onS || jump.agoS >= clockJumped.holdS) return [];
  return [candidate("clock-jumped", clockJumped, { seconds: Math.round(jump.seconds) })];
}

function upsCandidates({ ups }: SelfFacts, rules: SelfProfile, active: string | undefined): Candidate[] {
  if (ups === undefined) return [];
  if (ups.kind === "unreachable") {
    const { reason } = ups;
    const found = [candidate("ups-unreachable", rules.upsUnreachable, { reason })];
    // Silence is no end of a battery that runs: in an outage the way to it is the next to lose its power.
    if (active === "ups-on-battery") found.push(candidate(active, rules.upsOnBattery, { reason }));
    if (active === "ups-low-battery") found.push(candidate(active, rules.upsLowBattery, { reason }));
    return found;
  }
  if (!ups.onBattery && !ups.lowBattery) return [];
  const { upsLowBattery } = rules;
  const held = active === "ups-low-battery";
  const runtimeMin = held ? upsLowBattery.offRuntimeS : upsLowBattery.onRuntimeS;
  const chargeMin = held ? upsLowBattery.offChargePct : upsLowBattery.onChargePct;
  const isShort = ups.runtimeS !== undefined ? ups.runtimeS < runtimeMin : (ups.chargePct ?? 100) < chargeMin;
  const values = {
    ...(ups.runtimeS === undefined ? {} : { runtimeS: ups.runtimeS }),
    ...(ups.chargePct === undefined ? {} : { chargePct: ups.chargePct }),
  };
  const found = [candidate("ups-on-battery", rules.upsOnBattery, values)];
  if (ups.lowBattery || isShort) found.push(candidate("ups-low-battery", upsLowBattery, values));
  return found;
}

function configCandidates({ configProblem }: SelfFacts, { configRefused }: SelfProfile): Candidate[] {
  return configProblem === undefined ? [] : [candidate("config-refused", configRefused, { problem: configProblem })];
}

function historyCandidates({ history }: SelfFacts, { historyFailing }: SelfProfile): Candidate[] {
  if (history?.failing === undefined) return [];
  const { failing: reason, behindRows } = history;
  const values = { reason: reason.slice(0, 200), ...(behindRows === undefined ? {} : { rows: behindRows }) };
  return [candidate("history-failing", historyFailing, values)];
}

function copyCandidates({ copy }: SelfFacts, { copyFailing }: SelfProfile): Candidate[] {
  if (copy?.state !== "failing") return [];
  const values = { reason: (copy.reason ?? "").slice(0, 200), rows: copy.behindRows };
  return [candidate("copy-failing", copyFailing, values)];
}

function sinkCandidates(sink: SinkFacts, rules: SelfProfile, active: string | undefined): Candidate[] {
  const { sinkBehind, sinkRefused } = rules;
  const held = active === "sink-behind";
  const ageMax = held ? sinkBehind.offAgeS : sinkBehind.onAgeS;
  const rowsMax = held ? sinkBehind.offRows : sinkBehind.onRows;
  const values: AlertValues = {
    sink: sink.name,
    rows: sink.behindRows,
    ...(sink.oldestS === undefined ? {} : { ageS: Math.round(sink.oldestS) }),
    ...(sink.reason === undefined ? {} : { reason: sink.reason.slice(0, 200) }),
  };
  if (sink.state === "refused") return [candidate("sink-refused", sinkRefused, values)];
  const isBehind = (sink.oldestS ?? 0) > ageMax || sink.behindRows > rowsMax;
  return isBehind ? [candidate("sink-behind", sinkBehind, values)] : [];
}

function candidate(
  ruleId: string,
  rule: { readonly priority: Candidate["priority"]; readonly onDelayS: number },
  values: AlertValues,
): Candidate {
  return { ruleId, priority: rule.priority, onDelayS: rule.onDelayS, values };
}
