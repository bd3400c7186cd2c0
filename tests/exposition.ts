// A strict reader of the Prometheus text exposition, version 0.0.4: what its description does not allow is thrown.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"];
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** Families by name, in their order. HELP and TYPE come once and first, samples of a family together and never twice. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let family: Family | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const about = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line);
    if (about?.[1] === "HELP") {
      help = { name: about[2] as string, text: about[3] as string };
      family = undefined;
    } else if (about?.[1] === "TYPE") {
      const [, , name = "", type = ""] = about;
      if (help?.name !== name) throw new Error(`TYPE of ${name} without its HELP`);
      if (families.has(name) || !TYPES.includes(type))
        throw new Error(`TYPE ${name} ${type} a second time, or unknown`);
      family = { name, type, help: help.text, samples: [] };
      families.set(name, family);
    } else if (line !== "") {
      if (family === undefined) throw new Error(`a sample without a TYPE: ${line}`);
      const sample = sampleOf(line);
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      checkPlace(sample, family);
      family.samples.push(sample);
    }
  }
  for (const one of families.values()) if (one.type === "histogram") checkHistogram(one);
  return families;
}

function sampleOf(line: string): Sample {
  const parts = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)(?: -?\\d+)?$`).exec(line);
  if (parts === null) throw new Error(`no sample: ${line}`);
  const [, name = "", inside = "", number = ""] = parts;
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < inside.length; ) {
    const label = LABEL.exec(inside);
    if (label === null) throw new Error(`labels: ${line}`);
    labels[label[1] as string] = (label[2] as string).replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
  }
  if (!/^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i.test(number)) throw new Error(`value: ${line}`);
  return { name, labels, value: Number(number.replace("Inf", "Infinity")) };
}

function checkPlace({ name, labels, value }: Sample, family: Family): void {
  const rest = name.startsWith(family.name) ? name.slice(family.name.length) : "?";
  const allowed: Record<string, readonly string[]> = {
    histogram: ["_bucket", "_sum", "_count"],
    summary: ["", "_sum", "_count"],
  };
  if (!(allowed[family.type] ?? [""]).includes(rest)) throw new Error(`${name} stands below ${family.name}`);
  if (rest === "_bucket" && labels["le"] === undefined) throw new Error(`${name} without le`);
  if (family.type === "counter" && !(value >= 0)) throw new Error(`${name} is ${value}`);
}

/** Buckets only grow, and the last is the count: of each set of the other labels. */
function checkHistogram({ name, samples }: Family): void {
  const key = ({ labels: { le: _, ...rest } }: Sample) => JSON.stringify(Object.entries(rest).sort());
  for (const one of new Set(samples.map(key))) {
    const mine = samples.filter((sample) => key(sample) === one);
    const buckets = mine.filter((sample) => sample.name === `${name}_bucket`);
    const count = mine.find((sample) => sample.name === `${name}_count`)?.value;
    const values = buckets.map((sample) => sample.value);
    if (values.some((value, i) => value < (values[i - 1] ?? 0))) throw new Error(`${name}: buckets shrink`);
    if (buckets.at(-1)?.labels["le"] !== "+Inf" || values.at(-1) !== count)
      throw new Error(`${name}: +Inf is not the count`);
  }
}
