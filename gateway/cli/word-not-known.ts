// What a command says to a word that it does not know: which one was meant, and which there are.
import { nearest } from "../../protocol/nearest.ts";

/** `what`: command, option, or the option that the word was given for. */
export function wordNotKnown(what: string, word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return `${what} ${word} is not known${near === undefined ? "." : `: did you mean ${near}?`} Known: ${known.join(", ")}.`;
}
