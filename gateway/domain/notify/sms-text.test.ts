// What of a line goes into one message, whatever its length and letters.
import { describe, expect, test } from "vitest";
import type { Part } from "./message.ts";
import { smsBytes, smsText, ucs2Hex } from "./sms-text.ts";

const line = (what: string, object: string, more?: string): Part[] => [
  { text: "PRIO 1", room: "keep" },
  { text: what, room: "trim" },
  { text: object, room: "trim" },
  { text: "Dorpsstraat 1", room: "drop" },
  { text: "Almere", room: "drop" },
  { text: "di 13:00", room: "keep" },
  ...(more === undefined ? [] : [{ text: more, room: "keep" } as const]),
];

describe("a line in one message", () => {
  test("a short one goes as it is, with its mark", () => {
    expect(smsText(line("Geen stroom", "De Waterlelie"), "1a2b")).toEqual({
      alphabet: "GSM",
      text: "PRIO 1 / Geen stroom / De Waterlelie / Dorpsstraat 1 / Almere / di 13:00 #1a2b",
    });
  });

  test("letters that the alphabet lacks are written another way", () => {
    const { alphabet, text } = smsText(line("Coördinatie – café ë €", "Ĳsselmeer’s [zaal] | ±3 l"), "1a2b");
    expect(alphabet).toBe("GSM");
    expect(text).toContain("Coördinatie - café e EUR  / IJsselmeer's (zaal) / +-3 l");
  });

  test("place and address go first, then long names lose their ends; priority, time and number stay", () => {
    const { text } = smsText(line("Geen stroom", `Dorpshuis ${"Z".repeat(90)}`, "en 12 andere"), "1a2b");
    expect(text.length).toBeLessThanOrEqual(160);
    expect(text).not.toContain("Almere");
    const long = smsText(line("W".repeat(200), `Dorpshuis ${"Z".repeat(200)}`, "en 12 andere"), "1a2b").text;
    expect(long.length).toBeLessThanOrEqual(160);
    expect(long).toMatch(/^PRIO 1 \/ W+\. \/ Dorpshuis Z+\. \/ di 13:00 \/ en 12 andere #1a2b$/);
  });

  test("of other scripts 70 letters go, in pairs of bytes", () => {
    const sms = smsText(line("Ж".repeat(80), "Пункт"), "1a2b");
    expect([sms.alphabet, sms.text.length <= 70, sms.text.endsWith("#1a2b")]).toEqual(["UCS2", true, true]);
    expect(Buffer.from(smsBytes(sms)).toString()).toBe(ucs2Hex(sms.text));
    expect(ucs2Hex("A€")).toBe("004120AC");
  });

  test("at every length the line fits and keeps what counts", () => {
    for (let length = 1; length < 260; length += 3) {
      for (const letter of ["a", "Ж"]) {
        const { alphabet, text } = smsText(
          line(letter.repeat(length), letter.repeat(length / 2), "en 3 andere"),
          "ffff",
        );
        expect(text.length).toBeLessThanOrEqual(alphabet === "GSM" ? 160 : 70);
        for (const part of ["PRIO 1", "di 13:00", "en 3 andere", "#ffff"]) expect(text).toContain(part);
      }
    }
  });

  test("no byte ends or aborts the message", () => {
    const all = String.fromCharCode(...Array.from({ length: 0x250 }, (_, i) => i));
    for (const letter of all) {
      const sms = smsText([{ text: letter, room: "keep" }], "1a2b");
      for (const byte of smsBytes(sms)) expect([26, 27]).not.toContain(byte);
    }
  });
});
