// SMS through a modem on a serial line: one message at a time, and the line is let go after each, so that others may look at it.
import { hash } from "node:crypto";
import { SerialPort } from "serialport";
import type { Clock } from "../clock.ts";
import type { Outcome } from "../domain/notify/delivery.ts";
import { smsText } from "../domain/notify/sms-text.ts";
import type { Carrier } from "./channel.ts";
import {
  type Line,
  lookAtModem,
  type ModemAnswer,
  type ModemFault,
  type ModemOptions,
  type SimPin,
  sendSms,
} from "./modem.ts";

export interface SmsOptions {
  readonly port: string;
  readonly baud: number;
  readonly pin?: SimPin;
  readonly clock: Pick<Clock, "after">;
  /** Rejects when there is no such line, or another program has it. */
  open?(port: string, baud: number): Promise<Line>;
}

const MARK_LENGTH = 4;

export function createSmsCarrier(options: SmsOptions): Carrier<"sms"> {
  const { port, baud, pin, clock, open = openLine } = options;
  let busy: Promise<unknown> = Promise.resolve();
  const modem: ModemOptions = { clock, ...(pin === undefined ? {} : { pin }) };

  /** One at a time: a modem has one line. */
  function withLine<T>(work: (line: Line) => Promise<T>): Promise<T | ModemFault> {
    const run = async (): Promise<T | ModemFault> => {
      let line: Line;
      try {
        line = await open(port, baud);
      } catch (error) {
        return { kind: "line", reason: `${port}: ${error instanceof Error ? error.message : String(error)}` };
      }
      try {
        return await work(line);
      } finally {
        await line.close();
      }
    };
    const next = busy.then(run);
    busy = next.catch(() => undefined);
    return next;
  }

  return {
    deliver: async ({ notice, parts }, { phone }) => {
      const mark = hash("sha256", notice.noticeId, "hex").slice(0, MARK_LENGTH);
      return judge(await withLine((line) => sendSms(line, phone, smsText(parts, mark), modem)));
    },
    look: async () => {
      const fault = await withLine((line) => lookAtModem(line, modem));
      return fault === undefined ? undefined : faultText(fault);
    },
  };
}

/** Causes of TS 24.011 annex E.2 that say something of the number and not of the moment. */
const NUMBER_REFUSED = [1, 8, 10, 21, 28, 29, 50, 69, 81];
/** No network (TS 27.005 section 3.2.5), or out of order there. */
const NETWORK_GONE = [27, 38, 41, 42, 331, 332];

function judge(answer: ModemAnswer): Outcome {
  if (answer.kind === "sent") return { kind: "delivered", detail: `reference ${answer.reference}` };
  const reason = faultText(answer);
  if (answer.kind !== "refused") return { kind: "failed", reason, isDown: true };
  const code = Number(/^CMS (\d+)$/.exec(answer.code)?.[1] ?? Number.NaN);
  if (NUMBER_REFUSED.includes(code)) return { kind: "refused", reason };
  return { kind: "failed", reason, ...(NETWORK_GONE.includes(code) ? { isDown: true } : {}) };
}

export function faultText(fault: ModemFault): string {
  switch (fault.kind) {
    case "silent":
      return `the modem does not answer (${fault.at})`;
    case "line":
      return fault.reason;
    case "sim":
      return fault.reason;
    case "no-network":
      return `no network: ${fault.reason}`;
    case "refused": {
      const isGone = NETWORK_GONE.some((code) => fault.code === `CMS ${code}`);
      return `${isGone ? "no network: " : ""}${fault.code} at ${fault.at}`;
    }
  }
}

/** Its lock is the system's: two programs never speak to one modem. */
export function openLine(path: string, baudRate: number): Promise<Line> {
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate, autoOpen: false });
    port.open((error) => {
      if (error !== null && error !== undefined) return reject(error);
      let isClosed = false;
      resolve({
        write: (bytes) => void port.write(Buffer.from(bytes)),
        onData: (listener) => void port.on("data", listener),
        onEnd: (listener) => {
          port.on("error", (fault: Error) => listener(fault.message));
          port.on("close", () => listener(isClosed ? "closed" : "the line was pulled out"));
        },
        close: () => {
          isClosed = true;
          return new Promise((done) => {
            if (port.isOpen) port.close(() => done());
            else done();
          });
        },
      });
    });
  });
}
