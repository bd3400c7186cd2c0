// Secrets of a copy under a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM (NIST SP 800-38D) seals. Without the passphrase
// the file says nothing; changed by one bit it does not open.
import { createCipheriv, createDecipheriv, randomBytes, scrypt, scryptSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { PASSPHRASE_CHARS_MIN } from "../config/files.ts";
import { GatewayError } from "../errors.ts";

/** 128 MB and some tenths of a second for each guess. */
const COST = 1 << 17;
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAGIC = Buffer.from("waakvlam-sealed 1\n");

const OPTIONS = { N: COST, r: 8, p: 1, maxmem: MEMORY_BYTES_MAX } as const;

/** Beside the gateway's own work: it takes some tenths of a second. */
export async function seal(plain: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
  const key = await new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, OPTIONS, (error, made) => {
      if (error === null) resolve(made);
      else reject(error);
    });
  });
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(MAGIC);
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([MAGIC, salt, nonce, cipher.getAuthTag(), body]);
}

/** Whether it begins as what is sealed does, and is long enough; the rest shows with the passphrase alone. */
export function looksSealed(bytes: Uint8Array): boolean {
  const isLong = bytes.length > MAGIC.length + SALT_BYTES + NONCE_BYTES + TAG_BYTES;
  return isLong && Buffer.from(bytes).subarray(0, MAGIC.length).equals(MAGIC);
}

/** Throws PASSPHRASE_WRONG: also when somebody has changed the file. */
export function unseal(sealed: Uint8Array, passphrase: string): Uint8Array {
  const all = Buffer.from(sealed);
  const [salt, nonce, tag] = [SALT_BYTES, NONCE_BYTES, TAG_BYTES].reduce<[number, Buffer[]]>(
    ([at, parts], size) => [at + size, [...parts, all.subarray(at, at + size)]],
    [MAGIC.length, []],
  )[1] as [Buffer, Buffer, Buffer];
  try {
    const key = scryptSync(passphrase.normalize("NFKC"), salt, KEY_BYTES, OPTIONS);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(all.subarray(0, MAGIC.length));
    decipher.setAuthTag(tag);
    const body = all.subarray(MAGIC.length + SALT_BYTES + NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    throw new GatewayError("PASSPHRASE_WRONG", {}, { cause });
  }
}

/** Throws FILE_UNREADABLE, CONFIG_INVALID (too short). Undefined without a file: secrets are left out. */
export function passphraseOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
  if (text.length < PASSPHRASE_CHARS_MIN) {
    const problem = `the passphrase in ${path} is shorter than ${PASSPHRASE_CHARS_MIN} characters`;
    throw new GatewayError("CONFIG_INVALID", { path, problems: [problem] });
  }
  return text;
}
