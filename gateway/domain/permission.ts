// Who may do what: the one table, for the HTTP API and for readers over MQTT alike.
import type { Role } from "../../protocol/index.ts";

/** An address of this very machine, also as IPv6 writes an IPv4 one. */
export function isLoopback(address: string | undefined): boolean {
  return address === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address ?? "");
}

export type Action = "read" | "acknowledge" | "tell" | "look-up" | "assign" | "command" | "administer";

const ALLOWED: { readonly [R in Role]: readonly Action[] } = {
  viewer: ["read"],
  // Lists of the registry have phone numbers and the places of keys.
  coordinator: ["read", "acknowledge", "tell", "look-up", "assign", "command"],
  admin: ["read", "acknowledge", "tell", "look-up", "assign", "command", "administer"],
};

export function isAllowed(role: Role, action: Action): boolean {
  return ALLOWED[role].includes(action);
}

/** What the gateway publishes for readers; frames of devices are for nobody but the gateway and that device. */
const READABLE = ["waakvlam/v1/points/", "waakvlam/v1/alerts/", "waakvlam/v1/notices/", "waakvlam/v1/gateway/"];

/** True when a person of this role may subscribe to this filter: nothing it matches lies outside the state topics. */
export function mayReadTopic(role: Role, filter: string): boolean {
  return isAllowed(role, "read") && READABLE.some((prefix) => filter.startsWith(prefix));
}
