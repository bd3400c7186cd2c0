// What `waakvlam lorawan` does: to the files of the data folder, which a gateway that runs reads again by itself; what only that knows,
// it is asked by a request in the same folder. Each act is put in its log of acts.
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type {
  Credentials,
  GatewayConfig,
  GivenKeys,
  IssuedKeys,
  LorawanDeviceState,
  LorawanStation,
} from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { IMPORT_BYTES_MAX } from "../registry/chirpstack.ts";
import { createLorawanDesk, type DeskAct, type Issuing, type LorawanDesk } from "../registry/lorawan-desk.ts";
import { loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { labelSvg, labelText } from "../registry/lorawan-label.ts";
import { lorawanRows } from "../registry/lorawan-moves.ts";
import { endRequest, type LorawanRequest, putRequest, takeAnswer } from "../registry/lorawan-requests.ts";
import type { CommandIo, ExitCode } from "./commands.ts";

/** A gateway that runs takes a request up within two seconds. */
const ANSWER_MS_MAX = 6_000;
const POLL_MS = 100;
const SECRET_MODE = 0o600;

export interface LorawanCall {
  readonly config: GatewayConfig;
  readonly json: boolean;
  readonly io: CommandIo;
  readonly clock: Clock;
  /** Who is at the shell. */
  readonly user: string;
}

/** Where keys go that are made now; to the terminal when neither is named. */
export interface KeyPlaces {
  readonly label: string | undefined;
  readonly credentials: string | undefined;
}

export function deskOf({ config, io }: Pick<LorawanCall, "config" | "io">): LorawanDesk {
  const { dir } = config.data;
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  return createLorawanDesk({ dir, listProblems, nowMs: io.nowMs });
}

/** AppKey, or DevAddr, NwkSKey and AppSKey, as they come on standard input. Undefined for any other number of words. */
export function readKeys(text: string): GivenKeys | undefined {
  const words = text.trim().split(/\s+/);
  const [first = "", nwkSKey = "", appSKey = ""] = words;
  if (words.length === 1 && first !== "") return { appKey: first };
  return words.length === 3 ? { devAddr: first, nwkSKey, appSKey } : undefined;
}

function openForSecrets(path: string): number {
  try {
    return openSync(path, "w", SECRET_MODE);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path }, { cause });
  }
}

/** Keys are made once: where they go is open before they are. `isOurs`: whether it is a board that can be flashed with them. */
export function issueCommand(
  call: LorawanCall,
  places: KeyPlaces,
  { isOurs, act }: { isOurs(desk: LorawanDesk): boolean; act(desk: LorawanDesk): Issuing },
): ExitCode {
  const { io, json } = call;
  const desk = deskOf(call);
  if (places.credentials !== undefined && !isOurs(desk)) {
    io.err("--credentials is for flashing boards of ours that join; use --label FILE.svg.");
    return 2;
  }
  const files = [places.label, places.credentials].map((path) =>
    path === undefined ? undefined : openForSecrets(path),
  );
  const [label, credentials] = files;
  const { issued, act: done } = act(desk);
  note(call, done);
  const point = desk.registry().points.find(({ pointId }) => pointId === issued.pointId);
  const facts = { ...issued, pointName: point?.name ?? "" };
  if (label !== undefined) {
    writeFileSync(label, places.label?.toLowerCase().endsWith(".svg") ? labelSvg(facts) : `${labelText(facts)}\n`);
    closeSync(label);
  }
  if (credentials !== undefined) {
    writeFileSync(credentials, `${JSON.stringify(credentialsOf(issued), null, 1)}\n`);
    closeSync(credentials);
  }
  tellIssued(call, { issued, written: [places.label, places.credentials].filter((path) => path !== undefined) }, () =>
    labelText(facts),
  );
  const isFlashed = credentials !== undefined && issued.frameKey !== undefined;
  if (issued.frameKey !== undefined && !isFlashed && !json)
    io.err(
      `To flash it: waakvlam lorawan rekey ${issued.deviceId} --credentials FILE, which makes new keys and writes all of them.`,
    );
  return 0;
}

/** Keys that no file has are shown. */
function tellIssued(
  { io, json }: LorawanCall,
  { issued, written }: { readonly issued: IssuedKeys; readonly written: readonly string[] },
  label: () => string,
): void {
  const { deviceId, devEui, pointId } = issued;
  if (json) {
    const { keys: _keys, frameKey: _frameKey, ...bare } = issued;
    io.out(JSON.stringify(written.length > 0 ? { ...bare, written } : issued));
  } else if (written.length > 0)
    io.out(`${deviceId} (${devEui}) at ${pointId}; its keys are in ${written.join(" and ")}`);
  else {
    io.out(label());
    io.err(
      "These keys are shown this once: --label FILE.svg prints a label, and 'waakvlam lorawan rekey' makes new ones.",
    );
  }
}

/** For `waakvlam-device flash`; a device that is not ours is set with its maker's app. */
function credentialsOf({ deviceId, pointId, devEui, joinEui, keys, frameKey }: IssuedKeys): Credentials {
  if (frameKey === undefined) return { devices: [] };
  const lorawan = keys.appKey === undefined ? {} : { lorawan: { devEui, joinEui, appKey: keys.appKey } };
  return { devices: [{ deviceId, pointId, key: frameKey, ...lorawan }] };
}

/** Puts a line in the log of acts, by way of the gateway. */
function note({ config, user, io }: LorawanCall, act: DeskAct | undefined): void {
  if (act === undefined) return;
  putRequest(config.data.dir, randomUUID(), { kind: "note", act: { atMs: io.nowMs(), actor: user, ...act } });
}

export function disableCommand(call: LorawanCall, deviceId: string, isDisabled: boolean): ExitCode {
  const { act } = deskOf(call).disable(deviceId, isDisabled);
  note(call, act);
  const now = isDisabled ? "heard no more" : "heard";
  if (call.json) call.io.out(JSON.stringify({ deviceId, disabled: isDisabled, changed: act !== undefined }));
  else call.io.out(`${deviceId} is ${now}${act === undefined ? " already" : ""}`);
  return 0;
}

/** Undefined when no gateway answers. */
async function ask({ config, clock }: LorawanCall, requestId: string, request: LorawanRequest): Promise<unknown> {
  const { dir } = config.data;
  putRequest(dir, requestId, request);
  const untilMs = clock.monotonicMs() + ANSWER_MS_MAX;
  while (clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
    const answer = takeAnswer(dir, requestId);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

export async function sessionCommand(
  call: LorawanCall,
  kind: "flush-nonces" | "forget-session",
  deviceId: string,
): Promise<ExitCode> {
  const { io, json, user } = call;
  const { devEui } = deskOf(call).find(deviceId).lorawan;
  const action = kind === "flush-nonces" ? "lorawan-nonces-flushed" : "lorawan-session-forgotten";
  const act = { atMs: io.nowMs(), actor: user, action, object: deviceId, detail: `DevEUI ${devEui}` };
  const answer = (await ask(call, randomUUID(), { kind, devEui, act })) as { readonly failed?: string } | undefined;
  const state = answer === undefined ? "waiting" : answer.failed === undefined ? "done" : "failed";
  if (json) io.out(JSON.stringify({ deviceId, devEui, act: kind, state }));
  else if (state === "done") io.out(`${deviceId}: done`);
  if (answer?.failed !== undefined)
    io.err(`${deviceId}: ${answer.failed}. Devices of another network server are kept there.`);
  else if (answer === undefined) io.err("No gateway answers on this data folder: it is done when one starts.");
  return state === "failed" ? 1 : 0;
}

interface Told {
  readonly devices: readonly LorawanDeviceState[];
  readonly stations: readonly LorawanStation[];
}

/** What the gateway that runs says, else what the files do. */
async function tell(call: LorawanCall): Promise<Told & { readonly isLive: boolean }> {
  const { dir } = call.config.data;
  const requestId = randomUUID();
  const answer = (await ask(call, requestId, { kind: "tell", atMs: call.io.nowMs() })) as Told | undefined;
  if (answer !== undefined) return { ...answer, isLive: true };
  endRequest(dir, requestId);
  const keys = loadLorawanKeys(dir);
  const devices = lorawanRows(deskOf(call).registry(), call.io.nowMs()).map(
    ({ deviceId, pointId, disabled, lorawan }) => {
      const { devEui, version = "1.0.3", activation = "otaa" } = lorawan;
      const known = { deviceId, pointId, devEui, version, activation };
      return { ...known, disabled: disabled === true, hasKeys: keys.get(devEui) !== undefined };
    },
  );
  return { devices, stations: [], isLive: false };
}

export async function listCommand(call: LorawanCall, what: "devices" | "stations"): Promise<ExitCode> {
  const { io, json } = call;
  const told = await tell(call);
  if (json) io.out(JSON.stringify({ [what]: told[what], live: told.isLive }));
  else if (what === "devices") printTable(io, [DEVICE_HEADS, ...told.devices.map(deviceCells)]);
  else if (told.isLive) printTable(io, [STATION_HEADS, ...told.stations.map(stationCells)]);
  if (told.isLive) return 0;
  io.err("No gateway answers on this data folder: sessions and base stations are not known.");
  return what === "stations" ? 1 : 0;
}

const DEVICE_HEADS = ["device", "point", "DevEUI", "state", "heard", "up", "down", "nonces"];

function deviceCells({ deviceId, pointId, devEui, disabled, hasKeys, session }: LorawanDeviceState): string[] {
  const state = !hasKeys ? "no keys" : disabled ? "disabled" : (session?.state ?? "");
  const nonces = session === undefined ? "" : `${session.noncesUsed}/${session.noncesMax}`;
  const counters = [session?.counterUp, session?.counterDown].map((count) =>
    count === undefined ? "" : String(count),
  );
  return [deviceId, pointId, devEui, state, session?.lastHeardAt ?? "", ...counters, nonces];
}

const STATION_HEADS = ["base station", "name", "state", "heard", "from", "frames", "sent", "refused", "on the air"];

function stationCells(one: LorawanStation): string[] {
  const refused = Object.values(one.refused).reduce((sum, count) => sum + count, 0);
  const air = one.airtime
    .filter(({ usedMs }) => usedMs > 0)
    .map(({ band, usedMs, limitMs }) => `${band} ${Math.round((100 * usedMs) / limitMs)} %`);
  const state = one.silent ? "silent" : one.connected ? "connected" : "no downlinks";
  const counts = [one.framesHeard, one.transmissions["sent"] ?? 0, refused].map(String);
  return [one.stationId, one.name, state, one.lastHeardAt ?? "", one.heardFrom ?? "", ...counts, air.join(", ")];
}

function printTable(io: CommandIo, rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, k) => Math.max(...rows.map((row) => row[k]?.length ?? 0))) ?? [];
  for (const row of rows)
    io.out(
      row
        .map((cell, k) => cell.padEnd(widths[k] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

export interface ExportAsk {
  readonly to: string | undefined;
  readonly applicationId: string;
  readonly deviceProfileId: string;
  readonly withKeys: boolean;
}

export function exportCommand(call: LorawanCall, { to, withKeys, ...target }: ExportAsk): ExitCode {
  const file = to === undefined ? undefined : openForSecrets(to);
  const { bodies, act } = deskOf(call).exportAll(target, withKeys);
  note(call, act);
  const text = `[\n${bodies.map((body) => ` ${JSON.stringify(body)}`).join(",\n")}\n]`;
  if (file === undefined) call.io.out(text);
  else {
    writeFileSync(file, `${text}\n`);
    closeSync(file);
    call.io.err(`${bodies.length} devices, ${withKeys ? "with" : "without"} keys, written to ${to}`);
  }
  return 0;
}

export function importCommand(call: LorawanCall, from: string, isDryRun: boolean): ExitCode {
  const { io, json } = call;
  const { result, act } = deskOf(call).importAll(readText(from), isDryRun);
  note(call, act);
  if (json) io.out(JSON.stringify(result));
  else {
    for (const deviceId of result.added) io.out(`+ ${deviceId}`);
    for (const deviceId of result.keyed) io.out(`~ ${deviceId}: keys`);
    const counts = `${result.added.length} added, keys of ${result.keyed.length} set, ${result.unchanged.length} as they were`;
    io.out(`${counts}${isDryRun ? "; nothing written" : ""}`);
    for (const warning of result.warnings) io.err(`worth a look: ${warning}`);
  }
  return 0;
}

function readText(path: string): string {
  try {
    if (statSync(path).size > IMPORT_BYTES_MAX) throw new Error(`more than ${IMPORT_BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}
