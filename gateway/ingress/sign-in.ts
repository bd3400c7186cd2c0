// Who is at the other end of an MQTT connection: a registered device with the password that follows from its key, or a
// person. Somebody else's wrong passwords never lock a device out.
import { timingSafeEqual } from "node:crypto";
import { downlinkTopic, loginWith, type Role, type Tagger, uplinkTopic } from "../../protocol/index.ts";
import { createKeyedTagger } from "./keyed-hash.ts";
import type { RefusalReason } from "./uplink.ts";

/** What is compared with every packet is made once. */
export interface DeviceIdentity {
  readonly kind: "device";
  readonly deviceId: string;
  readonly tagger: Tagger;
  /** The one topic that it publishes to, and the one that it reads. */
  readonly uplinkTopic: string;
  readonly downlinkTopic: string;
}

export type Identity = DeviceIdentity | { readonly kind: "person"; readonly name: string; readonly role: Role };

export interface Identities {
  /** The key of a registered device, 32 bytes. */
  key(deviceId: string): Uint8Array | undefined;
  isEnabled(deviceId: string): boolean;
}

export interface People {
  verify(name: string, password: string): Promise<{ readonly name: string; readonly role: Role } | undefined>;
}

export interface SignInDeps {
  readonly identities: Identities;
  readonly people: People;
  isBanned(sender: string): boolean;
}

export interface SignInRequest {
  readonly clientId: string;
  readonly name: string;
  readonly password: string;
  /** People's passwords cross only TLS or loopback. */
  readonly isPrivate: boolean;
}

/** CONNACK return codes of MQTT 3.1.1 table 3.1. */
export const CONNACK = { identifierRejected: 2, unavailable: 3, badPassword: 4, notAuthorized: 5 } as const;

export type SignIn =
  | { readonly kind: "welcome"; readonly identity: Identity }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly returnCode: number };

function refused(reason: RefusalReason, returnCode: number): SignIn {
  return { kind: "refused", reason, returnCode };
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export async function signIn(request: SignInRequest, deps: SignInDeps): Promise<SignIn> {
  const { clientId, name, password } = request;
  const key = deps.identities.key(name);
  if (key !== undefined) {
    if (clientId !== name) return refused("name-mismatch", CONNACK.identifierRejected);
    const tagger = createKeyedTagger(key);
    if (!sameText(password, loginWith(tagger))) return refused("bad-password", CONNACK.badPassword);
    if (!deps.identities.isEnabled(name)) return refused("disabled-device", CONNACK.notAuthorized);
    if (deps.isBanned(name)) return refused("banned", CONNACK.unavailable);
    const topics = { uplinkTopic: uplinkTopic(name), downlinkTopic: downlinkTopic(name) };
    return { kind: "welcome", identity: { kind: "device", deviceId: name, tagger, ...topics } };
  }
  // A device's name is for that device alone: under it a person would take its connection over.
  if (deps.identities.key(clientId) !== undefined) return refused("name-mismatch", CONNACK.identifierRejected);
  if (name === "") return refused("unknown-device", CONNACK.badPassword);
  if (!request.isPrivate) return refused("people-need-tls", CONNACK.notAuthorized);
  const person = await deps.people.verify(name, password);
  if (person === undefined) return refused("unknown-device", CONNACK.badPassword);
  if (deps.isBanned(person.name)) return refused("banned", CONNACK.unavailable);
  return { kind: "welcome", identity: { kind: "person", name: person.name, role: person.role } };
}
