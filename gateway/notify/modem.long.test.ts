// The modem driver on a real line (a pseudo-terminal): what it asks, and what it makes of good, bad, half and no answers.
import { afterEach, describe, expect, test } from "vitest";
import { waitFor } from "../../tests/fixtures.ts";
import { GOOD_MODEM, type ModemRule, noPty, type PtyModem, startPtyModem } from "../../tests/pty-modem.ts";
import { systemClock } from "../clock.ts";
import type { SmsText } from "../domain/notify/sms-text.ts";
import { type ModemOptions, type SimPin, sendSms } from "./modem.ts";
import { faultText, openLine } from "./sms.ts";

const TO = "+31600000001";
const TEXT: SmsText = { alphabet: "GSM", text: "PRIO 1 / Geen stroom / De Waterlelie @ 13:00 #1a2b" };
const missing = noPty();
let modem: PtyModem | undefined;

afterEach(async () => {
  await modem?.stop();
  modem = undefined;
});

/** Times are a tenth: what does not answer is not waited for. */
function options(part: Partial<ModemOptions> = {}): ModemOptions {
  const after: ModemOptions["clock"]["after"] = (ms, run) => systemClock.after(ms / 10, run);
  return { clock: { after }, ...part };
}

async function send(rules: readonly ModemRule[], part: Partial<ModemOptions> = {}, text = TEXT) {
  modem = await startPtyModem([...rules, ...GOOD_MODEM]);
  const line = await openLine(modem.path, 115_200);
  try {
    const answer = await sendSms(line, TO, text, options(part));
    // What has come is told of over a pipe of its own.
    if (answer.kind === "sent") await waitFor("the text", () => modem?.came.some((one) => one.endsWith("\u001a")));
    return answer;
  } finally {
    await line.close();
  }
}

describe.skipIf(missing !== undefined)(
  `a modem on a line${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    test("takes a text in the alphabet of GSM, ended by control-Z", async () => {
      expect(await send([])).toEqual({ kind: "sent", reference: "42" });
      expect(modem?.came).toEqual([
        "AT\r",
        "ATE0\r",
        "AT+CMEE=1\r",
        "AT+CPIN?\r",
        "AT+CREG?\r",
        "AT+CMGF=1\r",
        'AT+CSCS="GSM"\r',
        "AT+CSMP=17,167,0,0\r",
        `AT+CMGS="${TO}"\r`,
        // The sign @ is code 0 there.
        "PRIO 1 / Geen stroom / De Waterlelie \u0000 13:00 #1a2b\u001a",
      ]);
    });

    test("takes other letters as UCS2, with the number as well", async () => {
      expect(await send([], {}, { alphabet: "UCS2", text: "Ж1" })).toEqual({ kind: "sent", reference: "42" });
      expect(modem?.came.slice(-4)).toEqual([
        'AT+CSCS="UCS2"\r',
        "AT+CSMP=17,167,0,8\r",
        'AT+CMGS="002B00330031003600300030003000300030003000300031"\r',
        "04160031\u001a",
      ]);
    });

    test.each<[string, readonly ModemRule[], string]>([
      [
        "is on no network",
        [["CE?REG\\?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n", "\r\n+CEREG: 0,3\r\n\r\nOK\r\n"]],
        "no network: registration denied",
      ],
      [
        "searches, and does not know LTE",
        [["CE?REG\\?", "+CREG: 0,2\r\nOK\r\n", "ERROR\r\n"]],
        "no network: searching",
      ],
      ["loses the network while it sends", [["\\x1a$", "\r\n+CMS ERROR: 331\r\n"]], "no network: CMS 331 at the text"],
      ["has no SIM", [["CPIN\\?", "\r\n+CME ERROR: 10\r\n"]], "no SIM that works (CME 10)"],
      ["has a SIM that is locked", [["CPIN\\?", "\r\n+CPIN: SIM PUK\r\nOK\r\n"]], "the SIM asks for SIM PUK"],
      ["wants a PIN", [["CPIN\\?", "\r\n+CPIN: SIM PIN\r\nOK\r\n"]], "the SIM asks for its PIN: set sms.pinFile"],
      ["knows no text mode", [["CMGF", "\r\nERROR\r\n"]], "ERROR at AT+CMGF=1"],
      ["gives no prompt", [["CMGS=", "\r\n"]], "the modem does not answer (AT+CMGS)"],
      ["refuses the number at once", [["CMGS=", "\r\n+CMS ERROR: 304\r\n"]], "CMS 304 at AT+CMGS"],
      ["breaks off in the middle of an answer", [["\\x1a$", "\r\n+CMGS: 4"]], "the modem does not answer (the text)"],
      ["says OK and no reference", [["\\x1a$", "\r\nOK\r\n"]], "no reference at the text"],
      ["says nothing at all", [["^AT\\r$", ""]], "the modem does not answer (AT)"],
      [
        "says only rubbish",
        [["^AT\\r$", "\u0080\u0081\u00ff\u0000\r\nNO CARRIER\r\n"]],
        "the modem does not answer (AT)",
      ],
    ])("that %s is told of in words", async (_, rules, words) => {
      const answer = await send(rules);
      expect(answer.kind === "sent" ? "sent" : faultText(answer)).toBe(words);
    });

    test("that wakes up slowly, and says things nobody asked for, sends all the same", async () => {
      const noise = '\r\n+CMTI: "SM",3\r\n\u0090\u0091\r\nRING\r\n';
      const rules: ModemRule[] = [
        ["^AT\\r$", "", "\r\nOK\r\n"],
        ["CREG\\?", `${noise}+CREG: 2,5,"1A2B","3C4D"\r\n${noise}OK\r\n`],
        ["\\x1a$", `${noise}\r\n+CMGS: 7\r\n\r\nOK\r\n`],
      ];
      expect(await send(rules)).toEqual({ kind: "sent", reference: "7" });
    });

    test("gets its PIN once: one that was refused is not tried again", async () => {
      let refused = 0;
      const pin = (text: string): SimPin => ({
        text,
        begin: () => (refused === 0 ? undefined : "not tried again"),
        refused: () => void refused++,
        opened: () => {
          refused = 0;
        },
      });
      const rules: ModemRule[] = [
        ["CPIN\\?", "\r\n+CPIN: SIM PIN\r\nOK\r\n"],
        ["CPIN=", "\r\n+CME ERROR: 16\r\n"],
      ];
      expect(await send(rules, { pin: pin("0000") })).toEqual({ kind: "sim", reason: "the PIN is refused (CME 16)" });
      await modem?.stop();
      expect(await send(rules, { pin: pin("0000") })).toEqual({ kind: "sim", reason: "not tried again" });
      expect(modem?.came.filter((one) => one.startsWith('AT+CPIN="'))).toEqual([]);
      await modem?.stop();
      const good: ModemRule[] = [
        ["CPIN\\?", "\r\n+CPIN: SIM PIN\r\nOK\r\n"],
        ["CPIN=", "\r\nOK\r\n"],
      ];
      refused = 0;
      expect(await send(good, { pin: pin("1234") })).toEqual({ kind: "sent", reference: "42" });
    });

    test("that is pulled out ends what is under way", async () => {
      modem = await startPtyModem([["^AT\\r$", ""]]);
      const line = await openLine(modem.path, 115_200);
      const sending = sendSms(line, TO, TEXT, { ...options(), clock: systemClock });
      await modem.stop();
      const answer = await sending;
      await line.close();
      expect(answer.kind).toBe("line");
    });
  },
);
