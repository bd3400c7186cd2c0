// Mail by SMTP (RFC 5321) over TLS or STARTTLS. Delivered means that the server has taken it.
import nodemailer, { type Transporter } from "nodemailer";
import type { Outcome } from "../domain/notify/delivery.ts";
import type { Carrier } from "./channel.ts";

export interface EmailOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: "starttls" | "tls" | "none";
  readonly from: string;
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
  /** Of connecting, and of each answer. */
  readonly timeoutMs: number;
}

/** No connection, or none that can be trusted: it is the way that is gone, not this message. */
const DOWN_CODES = ["ECONNECTION", "ETIMEDOUT", "ESOCKET", "EDNS", "ETLS", "EAUTH", "ECONNREFUSED", "ENOTFOUND"];

export function createEmailCarrier(options: EmailOptions): Carrier<"email"> {
  const { from, host } = options;
  const transport = transportOf(options);
  return {
    async deliver({ notice }, { address }) {
      const { noticeId, headline, lines, priority } = notice;
      try {
        const sent = await transport.sendMail({
          from,
          to: address,
          subject: headline,
          text: `${[headline, "", ...lines, "", noticeId].join("\n")}\n`,
          // Sent again it is the same message, and a reader's program shows it once.
          messageId: `<${noticeId}@${from.slice(from.indexOf("@") + 1)}>`,
          priority: priority === 1 ? "high" : "normal",
          headers: { "Auto-Submitted": "auto-generated" },
        });
        return { kind: "delivered", detail: String(sent.response) };
      } catch (error) {
        return judge(error);
      }
    },
    async look() {
      try {
        await transport.verify();
        return undefined;
      } catch (error) {
        return `${host}: ${words(error)}`;
      }
    },
    close: () => transport.close(),
  };
}

function transportOf({ host, port, tls, user, password, ca, timeoutMs }: EmailOptions): Transporter {
  return nodemailer.createTransport({
    host,
    port,
    secure: tls === "tls",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
  });
}

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
  readonly message?: string;
}

function judge(error: unknown): Outcome {
  const { code = "", responseCode } = error as SmtpError;
  const reason = words(error);
  if (DOWN_CODES.includes(code)) return { kind: "failed", reason, isDown: true };
  // RFC 5321 section 4.2.1: 5yz will not become better.
  if (responseCode !== undefined && responseCode >= 500) return { kind: "refused", reason };
  return { kind: "failed", reason };
}

function words(error: unknown): string {
  const { code, message } = error as SmtpError;
  return (message ?? code ?? String(error)).split("\n")[0] ?? "no answer";
}
