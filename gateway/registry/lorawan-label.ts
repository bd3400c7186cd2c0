// The label of a LoRaWAN device: who it is, where it belongs, and the keys that were made for it, in a hand's groups with a check behind
// each line. Text for a terminal, SVG of 62 mm for a label printer. Whoever holds it can speak for the device.
import { crc32 } from "node:zlib";
import type { GivenKeys } from "../../protocol/index.ts";

export interface LabelFacts {
  readonly deviceId: string;
  readonly pointId: string;
  readonly pointName: string;
  readonly devEui: string;
  readonly joinEui: string;
  readonly keys: GivenKeys;
}

const WIDTH_MM = 62;
const LINE_MM = 4.4;
const SECRET = "Geheim: in de kluis · Secret: in the safe";
/** A letter of a fixed width is 0.6 of its size; the label has a margin of 3 mm at each side. */
const FIT_MM = (WIDTH_MM - 6) / 0.6;
const NAME_MAX = 40;

/** `2b7e 1516 …`, and four digits that check it as on the recovery sheet. */
function groups(name: string, hex: string): string {
  const check = (crc32(`${name} ${hex}`) & 0xffff).toString(16).padStart(4, "0");
  return `${(hex.match(/.{4}/g) ?? []).join(" ")} · ${check}`;
}

function rows({
  deviceId,
  pointId,
  pointName,
  devEui,
  joinEui,
  keys,
}: LabelFacts): readonly (readonly [string, string])[] {
  const eui = (hex: string) => (hex.match(/../g) ?? []).join("-").toUpperCase();
  const secrets: readonly (readonly [string, string])[] =
    keys.appKey !== undefined
      ? [
          ["JoinEUI", eui(joinEui)],
          ["AppKey", groups(devEui, keys.appKey)],
        ]
      : [
          ["DevAddr", keys.devAddr ?? ""],
          ["NwkSKey", groups(devEui, keys.nwkSKey ?? "")],
          ["AppSKey", groups(devEui, keys.appSKey ?? "")],
        ];
  return [
    ["Waakvlam", deviceId],
    [pointId, pointName.length > NAME_MAX ? `${pointName.slice(0, NAME_MAX - 1)}…` : pointName],
    ["DevEUI", eui(devEui)],
    ...secrets,
  ];
}

export function labelText(facts: LabelFacts): string {
  const lines = rows(facts).map(([name, value]) => `${name.padEnd(10)}${value}`);
  const width = Math.max(...[...lines, SECRET].map((line) => line.length));
  const edge = `+${"-".repeat(width + 2)}+`;
  return [edge, ...[...lines, SECRET].map((line) => `| ${line.padEnd(width)} |`), edge].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Keys go over two lines, so that they can be read at arm's length. */
export function labelSvg(facts: LabelFacts): string {
  const [first, ...rest] = rows(facts);
  const lines: { readonly text: string; readonly size: number; readonly isBold?: true }[] = [
    { text: first?.[1] ?? "", size: 5, isBold: true },
  ];
  for (const [name, value] of rest) {
    const parts = value.split(" ");
    const isKey = parts.length > 6;
    if (isKey)
      lines.push(
        { text: `${name} ${parts.slice(0, 4).join(" ")}`, size: 3 },
        { text: parts.slice(4).join(" "), size: 3 },
      );
    else lines.push({ text: `${name} ${value}`, size: 3 });
  }
  lines.push({ text: SECRET, size: 2.2 });
  const heightMm = LINE_MM * (lines.length + 1) + 2;
  const texts = lines.map(({ text, size: most, isBold }, i) => {
    const size = Math.min(most, Math.floor((10 * FIT_MM) / text.length) / 10);
    const weight = isBold ? ' font-weight="700"' : "";
    return `<text x="3" y="${(LINE_MM * (i + 1) + 2).toFixed(1)}" font-size="${size}"${weight}>${escaped(text)}</text>`;
  });
  const box = `<rect x="0.5" y="0.5" width="${WIDTH_MM - 1}" height="${(heightMm - 1).toFixed(1)}" fill="none" stroke="#000" stroke-width="0.3"/>`;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_MM}mm" height="${heightMm.toFixed(1)}mm" viewBox="0 0 ${WIDTH_MM} ${heightMm.toFixed(1)}" font-family="monospace">`;
  return `${[head, box, ...texts].join("\n")}\n</svg>\n`;
}
