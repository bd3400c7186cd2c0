// A real Mosquitto on loopback, with a password and, where asked, TLS; its sessions end with it.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, waitFor } from "./fixtures.ts";

const BROKER = "/usr/sbin/mosquitto";
const PASSWORDS = "/usr/bin/mosquitto_passwd";
export const HAS_MOSQUITTO = existsSync(BROKER) && existsSync(PASSWORDS);

export interface Mosquitto {
  readonly port: number;
  stop(): Promise<void>;
}

export interface MosquittoOptions {
  readonly dir: string;
  readonly port?: number;
  readonly users: Readonly<Record<string, string>>;
  readonly tls?: { readonly certificate: string; readonly key: string };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

export async function startMosquitto({ dir, port: wanted, users, tls }: MosquittoOptions): Promise<Mosquitto> {
  mkdirSync(dir, { recursive: true });
  const port = wanted ?? (await freePort());
  const passwords = join(dir, "passwords");
  writeFileSync(passwords, "", { mode: 0o600 });
  for (const [name, password] of Object.entries(users)) execFileSync(PASSWORDS, ["-b", passwords, name, password]);
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${passwords}`,
    "persistence false",
    // It drops its rights when it is started by root, and then cannot read a file of ours.
    `user ${process.env["USER"] ?? "root"}`,
    ...(tls === undefined ? [] : [`certfile ${tls.certificate}`, `keyfile ${tls.key}`]),
  ];
  const config = join(dir, "mosquitto.conf");
  writeFileSync(config, `${lines.join("\n")}\n`);
  const broker = spawn(BROKER, ["-c", config], { stdio: "ignore" });
  await waitFor("mosquitto", () => isListening(port));
  return {
    port,
    stop: async () => {
      if (broker.exitCode !== null) return;
      const ended = new Promise((resolve) => broker.once("exit", resolve));
      broker.kill();
      await ended;
    },
  };
}
