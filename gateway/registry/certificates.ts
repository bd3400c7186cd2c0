// A certificate authority of this gateway's own, and a server certificate by it: screens on other machines sign in over
// TLS, and nobody outside the room is asked for a certificate. RSA, which is all that devices speak.
import { webcrypto } from "node:crypto";
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
// The certificate library needs this in place before it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { writeWhole } from "./file.ts";

const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const AUTHORITY_YEARS = 10;
/** Longer than this browsers refuse. */
const SERVER_DAYS = 397;
const DAY_MS = 86_400_000;

export interface CertificateFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

function pem(label: string, bytes: ArrayBuffer): string {
  const base64 = Buffer.from(bytes).toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${base64.trimEnd()}\n-----END ${label}-----\n`;
}

/** Makes authority, certificate and key in `dir`/tls for these host names and addresses. `nowMs` begins their validity. */
export async function createCertificates(
  dir: string,
  hosts: readonly string[],
  nowMs: number,
): Promise<CertificateFiles> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const folder = join(dir, "tls");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authorityKeys = await webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const serverKeys = await webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const notBefore = new Date(nowMs - DAY_MS);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Waakvlam local authority",
    keys: authorityKeys as unknown as CryptoKeyPair,
    notBefore,
    notAfter: new Date(nowMs + AUTHORITY_YEARS * 365 * DAY_MS),
    signingAlgorithm: RSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const names = hosts.map((host) => ({ type: isIP(host) > 0 ? ("ip" as const) : ("dns" as const), value: host }));
  const server = await x509.X509CertificateGenerator.create({
    subject: `CN=${hosts[0]}`,
    issuer: authority.subject,
    publicKey: serverKeys.publicKey as unknown as CryptoKey,
    signingKey: authorityKeys.privateKey as unknown as CryptoKey,
    notBefore,
    notAfter: new Date(nowMs + SERVER_DAYS * DAY_MS),
    signingAlgorithm: RSA,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", serverKeys.privateKey);
  const files = {
    authority: join(folder, "authority.pem"),
    certificate: join(folder, "server.pem"),
    key: join(folder, "server.key"),
  };
  writeWhole(files.authority, `${authority.toString("pem")}\n`, 0o644);
  writeWhole(files.certificate, `${server.toString("pem")}\n${authority.toString("pem")}\n`, 0o644);
  writeWhole(files.key, pem("PRIVATE KEY", key), 0o600);
  return files;
}
