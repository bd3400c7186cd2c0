// The words of a call behind its command: what is no option, has no value or is one too many is told of, and never passed over. A
// gateway that was started with `start waakvlam.toml` ran by the defaults. Pure.
import { wordNotKnown } from "./word-not-known.ts";

/** Of citty's definition of a command. */
export interface WordShape {
  readonly type?: string;
  readonly valueHint?: string;
}

/** Undefined where all is well. */
export function callProblem(shapes: Readonly<Record<string, WordShape>>, words: readonly string[]): string | undefined {
  const options = Object.entries(shapes).filter(([, shape]) => shape.type !== "positional");
  const flags = options.map(([name]) => `--${name}`);
  const placesMax = Object.keys(shapes).length - options.length;
  let places = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith("-") || word === "-") {
      places++;
      if (places > placesMax) return tooMany(word, flags);
      continue;
    }
    const [flag = "", inline] = word.split(/=(.*)/s);
    if (flag === "--help" || flag === "-h" || flag === "--version") continue;
    const shape = flag.startsWith("--") ? options.find(([name]) => `--${name}` === flag)?.[1] : undefined;
    if (shape === undefined) return wordNotKnown("option", flag, flags);
    if (shape.type === "boolean") continue;
    const value = inline ?? words[++i];
    if (value === undefined || value === "" || value.startsWith("--")) {
      return `option ${flag} needs ${shape.valueHint ?? "a value"} behind it.`;
    }
  }
  return undefined;
}

function tooMany(word: string, flags: readonly string[]): string {
  const isConfig = word.endsWith(".toml") && flags.includes("--config");
  return `${word} is a word too many${isConfig ? `: did you mean --config ${word}?` : "."}`;
}
