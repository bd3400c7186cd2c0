// One line in one SMS: 160 characters of the alphabet of GSM (3GPP TS 23.038 section 6.2.1), or 70 of UCS2. Pure.
import type { Part } from "./message.ts";

export const GSM_CHARACTERS_MAX = 160;
export const UCS2_CHARACTERS_MAX = 70;
/** A part that loses its end keeps at least so much. */
const TRIMMED_MIN = 8;

/** Index is the code. Of the codes that end or abort a message in text mode (26, 27) none is used. */
const GSM =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const FORBIDDEN = [26, 27];

/** What is written another way because the alphabet lacks it, or has it only behind the code that aborts a message. */
const ALIKE: Readonly<Record<string, string>> = {
  "|": "/",
  "·": "-",
  "–": "-",
  "—": "-",
  "…": "...",
  "→": ">",
  "≈": "ca ",
  "€": "EUR ",
  "’": "'",
  "‘": "'",
  "“": '"',
  "”": '"',
  "±": "+-",
  "\u00a0": " ",
  "[": "(",
  "]": ")",
  "{": "(",
  "}": ")",
  "~": "-",
  "^": "",
  "\\": "/",
  "`": "'",
  "\n": " ",
  "\r": " ",
};

export interface SmsText {
  readonly alphabet: "GSM" | "UCS2";
  readonly text: string;
}

/** The line, as much of it as goes into one message, and the mark by which a receiver sees that it came twice. */
export function smsText(parts: readonly Part[], mark: string): SmsText {
  const plain = parts.map((part) => ({ ...part, text: plainText(part.text) }));
  const isGsm = plain.every(({ text }) => [...text].every((letter) => codeOf(letter) !== undefined));
  const max = isGsm ? GSM_CHARACTERS_MAX : UCS2_CHARACTERS_MAX;
  const line = fitted(plain, max - mark.length - 2);
  return { alphabet: isGsm ? "GSM" : "UCS2", text: `${join(line).slice(0, max - mark.length - 2)} #${mark}` };
}

/** Letters without their marks where the alphabet has no others: ë becomes e. */
function plainText(text: string): string {
  return [...text]
    .map((letter) => {
      const alike = ALIKE[letter];
      if (alike !== undefined) return alike;
      if (codeOf(letter) !== undefined) return letter;
      const bare = letter.normalize("NFKD").replace(/\p{M}/gu, "");
      return [...bare].every((one) => codeOf(one) !== undefined) ? bare : letter;
    })
    .join("");
}

function codeOf(letter: string): number | undefined {
  const code = GSM.indexOf(letter);
  return code < 0 || FORBIDDEN.includes(code) ? undefined : code;
}

function join(parts: readonly Part[]): string {
  return parts.map(({ text }) => text).join(" / ");
}

function fitted(parts: readonly Part[], max: number): readonly Part[] {
  let left = [...parts];
  for (let i = left.length - 1; i >= 0 && join(left).length > max; i--) {
    if (left[i]?.room === "drop") left = left.filter((_, at) => at !== i);
  }
  // The longest first, until they are all as long: none gives all of its room to another.
  for (let over = join(left).length - max; over > 0; over = join(left).length - max) {
    const [longest, second] = left
      .filter(({ room, text }) => room === "trim" && text.length > TRIMMED_MIN)
      .sort((a, b) => b.text.length - a.text.length);
    if (longest === undefined) break;
    const length = Math.max(TRIMMED_MIN, longest.text.length - over, (second?.text.length ?? 0) - 1);
    const text = `${longest.text.slice(0, Math.min(length, longest.text.length - 1) - 1).trimEnd()}.`;
    left = left.map((part) => (part === longest ? { ...part, text } : part));
  }
  return left;
}

/** As the modem takes it with `CSCS="GSM"`, or as hexadecimal with `CSCS="UCS2"`. */
export function smsBytes({ alphabet, text }: SmsText): Uint8Array {
  if (alphabet === "UCS2") return new TextEncoder().encode(ucs2Hex(text));
  return Uint8Array.from([...text].map((letter) => codeOf(letter) ?? GSM.indexOf("?")));
}

export function ucs2Hex(text: string): string {
  let hex = "";
  for (let i = 0; i < text.length; i++) hex += text.charCodeAt(i).toString(16).padStart(4, "0");
  return hex.toUpperCase();
}
