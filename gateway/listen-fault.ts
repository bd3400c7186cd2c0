// Why nothing can be listened to at an address, in the codes of the gateway.
import { type ErrorCode, GatewayError } from "./errors.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: "ADDRESS_IN_USE",
  // Ports below 1024, and what a security policy keeps for others.
  EACCES: "ADDRESS_NOT_ALLOWED",
  EPERM: "ADDRESS_NOT_ALLOWED",
  EADDRNOTAVAIL: "ADDRESS_UNKNOWN",
  EAFNOSUPPORT: "ADDRESS_UNKNOWN",
  ENODEV: "ADDRESS_UNKNOWN",
  ENOTFOUND: "ADDRESS_UNKNOWN",
};

/** Of a `listen` or `bind` that failed; what says nothing of the address is given back as it is. */
export function listenFault(cause: unknown, at: { readonly host: string; readonly port: number }): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { code: said = "" } = error as NodeJS.ErrnoException;
  // No answer to the question for a name's address begins so.
  const code = said.startsWith("EAI_") ? "ADDRESS_UNKNOWN" : CODES[said];
  return code === undefined ? error : new GatewayError(code, { host: at.host, port: at.port }, { cause });
}
