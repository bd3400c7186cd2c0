// A third of the demo's points are on LoRaWAN: which, and by which base stations, stands in `lorawan.json`. Their keys are made anew at each
// start, and go the way of any others: into the gateway by `waakvlam lorawan import`, onto the boards by the file of credentials.
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Credentials, Registry } from "../../protocol/index.ts";

interface Plan {
  readonly stations: readonly { readonly eui: string; readonly name: string; readonly path: string }[];
  /** By the device's id. */
  readonly devices: Readonly<Record<string, { readonly devEui: string; readonly path: string }>>;
}

/** Seconds between the reports of these devices. */
const INTERVAL_S = 900;
const NO_JOIN_EUI = "0".repeat(16);
const PLAN = readJson<Plan>(fileURLToPath(new URL("lorawan.json", import.meta.url)));

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

export const STATION_EUIS = PLAN.stations.map(({ eui }) => eui);

/** The section of the configuration. */
export function lorawanText(port: number): string {
  const stations = PLAN.stations.map(
    ({ eui, name, path }) => `[[lorawan.stations]]\neui = "${eui}"\nname = ${JSON.stringify(name)}\npath = "${path}"`,
  );
  return [`[lorawan]\nudpPort = ${port}`, ...stations].join("\n");
}

/** The demo's registry with these devices on LoRaWAN, as a file of this folder. */
export function writeRegistry(dir: string): string {
  const registry = readJson<Registry>(fileURLToPath(new URL("registry.json", import.meta.url)));
  const devices = registry.devices.map((row) => {
    const plan = PLAN.devices[row.deviceId];
    if (plan === undefined) return row;
    const { devEui, path } = plan;
    return { ...row, board: "xiaoble", link: "lorawan", path, reportIntervalS: INTERVAL_S, lorawan: { devEui } };
  });
  const file = join(dir, "registry.json");
  writeFileSync(file, JSON.stringify({ ...registry, devices }));
  return file;
}

/** Makes keys: as devices with keys out of ChirpStack for `take`, which brings them into the gateway, and beside the others for the boards. */
export async function makeKeys(
  dir: string,
  credentialsFile: string,
  take: (file: string) => Promise<number>,
): Promise<number> {
  const file = join(dir, "lorawan-devices.json");
  const made = new Map(
    Object.entries(PLAN.devices).map(([deviceId, { devEui }]) => [
      deviceId,
      { devEui, joinEui: NO_JOIN_EUI, appKey: randomBytes(16).toString("hex") },
    ]),
  );
  const bodies = [...made].map(([deviceId, { devEui, appKey }]) => {
    return { device: { devEui, name: deviceId }, deviceKeys: { devEui, nwkKey: appKey } };
  });
  writeFileSync(file, bodies.map((one) => JSON.stringify(one)).join("\n"), { mode: 0o600 });
  const code = await take(file);
  rmSync(file);
  if (code !== 0) return code;
  const { devices } = readJson<Credentials>(credentialsFile);
  const all = devices.map((row) => {
    const lorawan = made.get(row.deviceId);
    return lorawan === undefined ? row : { ...row, lorawan };
  });
  writeFileSync(credentialsFile, JSON.stringify({ devices: all }), { mode: 0o600 });
  return 0;
}
