// The operator's desk for LoRaWAN devices: each act on the files of the data folder, the same from a shell and over HTTP, with the line
// that it is in the log of acts. Keys first and the registry last: what a crash leaves behind names no device.
import type {
  GivenKeys,
  IssuedKeys,
  LorawanImport,
  NewLorawanDevice,
  NewLorawanReplacement,
  Registry,
} from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { type ChirpstackTarget, chirpstackBodies } from "./chirpstack.ts";
import { issueKeys } from "./keys.ts";
import { planImport } from "./lorawan-import.ts";
import {
  isWellKnown,
  keyProblem,
  type LorawanKeys,
  loadLorawanKeys,
  makeAppKey,
  makeEui,
  makeSessionKeys,
  putLorawanKeys,
  readEui,
} from "./lorawan-keys.ts";
import { addDevice, type LorawanDevice, lorawanRow, lorawanRows, replaceDevice, setDisabled } from "./lorawan-moves.ts";
import { loadRegistry, saveRegistry } from "./registry.ts";
import type { ListProblems } from "./shape.ts";

export const NO_JOIN_EUI = "0000000000000000";

export interface DeskOptions {
  /** The data folder. */
  readonly dir: string;
  readonly listProblems: ListProblems;
  nowMs(): number;
}

/** What was done: for the log of acts, without keys. */
export interface DeskAct {
  readonly action: string;
  readonly object: string;
  readonly detail: string;
}

interface Done {
  /** Undefined: it was so already. */
  readonly act: DeskAct | undefined;
}
export type Issuing = Done & { readonly issued: IssuedKeys };

/** Each throws GatewayError: DEVICE_UNKNOWN, DEVICE_EXISTS, LORAWAN_KEY_REFUSED, REGISTRY_INVALID, FILE_UNREADABLE, FILE_UNWRITABLE. */
export interface LorawanDesk {
  registry(): Registry;
  add(asked: NewLorawanDevice): Issuing;
  replace(deviceId: string, by: NewLorawanReplacement): Issuing;
  rekey(deviceId: string, keys?: GivenKeys): Issuing;
  disable(deviceId: string, isDisabled: boolean): Done;
  /** The device, for acts on its session. */
  find(deviceId: string): LorawanDevice;
  exportAll(target: ChirpstackTarget, withKeys: boolean): Done & { readonly bodies: readonly object[] };
  /** Throws IMPORT_INVALID too. */
  importAll(text: string, isDryRun: boolean): Done & { readonly result: LorawanImport };
}

export function createLorawanDesk(options: DeskOptions): LorawanDesk {
  const { dir, listProblems, nowMs } = options;
  const registry = () => loadRegistry(dir, listProblems);
  return {
    ...deviceActs(options, registry),
    registry,
    find: (deviceId) => lorawanRow(registry(), deviceId, nowMs()),
    exportAll: (target, withKeys) => {
      const bodies = bodiesOf(registry(), { dir, nowMs: nowMs(), withKeys }, target);
      const detail = `${bodies.length} devices, ${withKeys ? "with" : "without"} keys`;
      return { bodies, act: { action: "lorawan-devices-exported", object: "lorawan", detail } };
    },
    importAll(text, isDryRun) {
      const now = { registry: registry(), keys: loadLorawanKeys(dir), nowMs: nowMs() };
      const { registry: next, keys, added, keyed, unchanged, warnings } = planImport(text, now, listProblems);
      const result = {
        ...{ dryRun: isDryRun, added: [...added], keyed: [...keyed] },
        ...{ unchanged: [...unchanged], warnings: [...warnings] },
      };
      if (isDryRun || added.length + keyed.length === 0) return { result, act: undefined };
      putLorawanKeys(dir, keys, next);
      issueKeys(dir, next);
      saveRegistry(dir, next);
      const detail = `${added.length} devices added, keys of ${keyed.length} set`;
      return { result, act: { action: "lorawan-devices-imported", object: "lorawan", detail } };
    },
  };
}

function deviceActs(
  { dir, listProblems, nowMs }: DeskOptions,
  registry: () => Registry,
): Pick<LorawanDesk, "add" | "replace" | "rekey" | "disable"> {
  return {
    add(asked) {
      const { keys: given, devEui, joinEui, version, activation, ...place } = asked;
      const lorawan = identityOf({ devEui, joinEui, version, activation });
      const board = place.model === undefined ? place.board : "other";
      if (board === undefined) throw new GatewayError("REGISTRY_INVALID", { problems: ["board or model is missing"] });
      const device: LorawanDevice = { ...place, board, link: "lorawan", lorawan };
      const next = addDevice(registry(), device, listProblems);
      const issued = issue(dir, { next, device, keys: keysFor(dir, lorawan, given), isAnew: false });
      return { issued, act: actOf("lorawan-device-added", device, `at ${device.pointId}`) };
    },
    replace(deviceId, { deviceId: newId, keys: given, ...identity }) {
      const old = lorawanRow(registry(), deviceId, nowMs());
      const { joinEui, version, activation } = { ...old.lorawan, ...identity };
      const lorawan = identityOf({ devEui: identity.devEui, joinEui, version, activation });
      const ask = { deviceId, by: { deviceId: newId, lorawan }, nowMs: nowMs() };
      const { registry: next, device, left } = replaceDevice(registry(), ask, listProblems);
      const issued = issue(dir, { next, device, keys: keysFor(dir, lorawan, given), isAnew: false });
      return { issued, act: actOf("lorawan-device-replaced", device, `takes the place of ${deviceId} at ${left}`) };
    },
    rekey(deviceId, given) {
      const next = registry();
      const device = lorawanRow(next, deviceId, nowMs());
      const issued = issue(dir, { next, device, keys: keysFor(dir, device.lorawan, given), isAnew: true });
      return { issued, act: actOf("lorawan-keys-made", device, given === undefined ? "made" : "given") };
    },
    disable(deviceId, isDisabled) {
      const done = setDisabled(registry(), { deviceId, isDisabled, nowMs: nowMs() }, listProblems);
      if (!done.isChange) return { act: undefined };
      saveRegistry(dir, done.registry);
      const action = isDisabled ? "lorawan-device-disabled" : "lorawan-device-enabled";
      return { act: actOf(action, done.device, `at ${done.device.pointId}`) };
    },
  };
}

interface Issue {
  readonly next: Registry;
  readonly device: LorawanDevice;
  readonly keys: LorawanKeys;
  /** A device of ours gets another frame key too. */
  readonly isAnew: boolean;
}

/** Keeps keys and registry; what was made for the device is told this once. */
function issue(dir: string, { next, device, keys, isAnew }: Issue): IssuedKeys {
  const { deviceId, pointId, lorawan, model } = device;
  const { devEui, joinEui = NO_JOIN_EUI } = lorawan;
  putLorawanKeys(dir, { [devEui]: keys }, next);
  const made = issueKeys(dir, next, isAnew && model === undefined ? [deviceId] : []);
  saveRegistry(dir, next);
  // A device that is not ours makes no frames of ours.
  const frameKey = model === undefined ? made.devices.find((one) => one.deviceId === deviceId)?.key : undefined;
  const more = frameKey === undefined ? {} : { frameKey };
  return { deviceId, pointId, devEui, joinEui, keys: shownKeys(keys), ...more };
}

function shownKeys(keys: LorawanKeys): GivenKeys {
  if (keys.appKey !== undefined) return { appKey: keys.appKey };
  const { devAddr, nwkSKey, appSKey } = keys;
  return { devAddr, nwkSKey, appSKey };
}

/** Given, or made. Throws LORAWAN_KEY_REFUSED. */
function keysFor(
  dir: string,
  { devEui, activation }: LorawanDevice["lorawan"],
  given: GivenKeys | undefined,
): LorawanKeys {
  const isPersonalised = activation === "abp";
  const taken = takenAddresses(dir, devEui);
  if (given === undefined) return isPersonalised ? makeSessionKeys(taken) : makeAppKey();
  const keys = givenKeys(given, isPersonalised);
  if (keys.devAddr !== undefined && taken.has(keys.devAddr))
    throw new GatewayError("LORAWAN_KEY_REFUSED", { reason: "another device has this DevAddr" });
  return keys;
}

function bodiesOf(
  registry: Registry,
  { dir, nowMs, withKeys }: { readonly dir: string; readonly nowMs: number; readonly withKeys: boolean },
  target: ChirpstackTarget,
): object[] {
  const names = new Map(registry.points.map(({ pointId, name }) => [pointId, name]));
  const store = loadLorawanKeys(dir);
  return lorawanRows(registry, nowMs).map(({ deviceId, pointId, board, model, disabled, lorawan }) => {
    const { devEui, joinEui } = lorawan;
    const keys = withKeys ? store.get(devEui) : undefined;
    const kind: Record<string, string> = model === undefined ? { board } : { model };
    const device = { devEui, name: deviceId, isDisabled: disabled === true, tags: { deviceId, pointId, ...kind } };
    const more = { ...(joinEui === undefined ? {} : { joinEui }), ...(keys === undefined ? {} : { keys }) };
    return chirpstackBodies({ ...device, ...more }, target, names.get(pointId) ?? pointId);
  });
}

function actOf(action: string, { deviceId, lorawan }: LorawanDevice, detail: string): DeskAct {
  return { action, object: deviceId, detail: `${detail}, DevEUI ${lorawan.devEui}` };
}

/** Addresses of personalised devices, but of this one. */
function takenAddresses(dir: string, devEui: string): ReadonlySet<string> {
  const others = loadLorawanKeys(dir)
    .all()
    .filter(([eui]) => eui !== devEui);
  return new Set(others.flatMap(([, { devAddr }]) => (devAddr === undefined ? [] : [devAddr])));
}

type Named = { readonly [K in "devEui" | "joinEui"]?: string | undefined } & {
  readonly version?: LorawanDevice["lorawan"]["version"] | undefined;
  readonly activation?: LorawanDevice["lorawan"]["activation"] | undefined;
};

/** What is not given is left out, so that the registry's own defaults hold. Throws REGISTRY_INVALID. */
function identityOf({ devEui: euiText, joinEui: joinText, version, activation }: Named): LorawanDevice["lorawan"] {
  const devEui = euiText === undefined ? makeEui() : readEui(euiText);
  const joinEui = joinText === undefined ? undefined : readEui(joinText);
  const wrong = [devEui === undefined && "devEui", joinText !== undefined && joinEui === undefined && "joinEui"];
  const problems = wrong.filter((name) => name !== false).map((name) => `${name} has not 16 hexadecimal digits`);
  if (problems.length > 0 || devEui === undefined) throw new GatewayError("REGISTRY_INVALID", { problems });
  return {
    devEui,
    ...(joinEui === undefined ? {} : { joinEui }),
    ...(version === undefined ? {} : { version }),
    ...(activation === undefined ? {} : { activation }),
  };
}

/** Throws LORAWAN_KEY_REFUSED; its detail never has a key. */
function givenKeys(given: GivenKeys, isPersonalised: boolean): LorawanKeys {
  const { appKey, devAddr, nwkSKey, appSKey } = Object.fromEntries(
    Object.entries(given).map(([name, hex]) => [name, String(hex).toLowerCase()]),
  );
  const isWhole = devAddr !== undefined && nwkSKey !== undefined && appSKey !== undefined;
  const keys: LorawanKeys | undefined = isPersonalised
    ? isWhole && appKey === undefined
      ? { devAddr, nwkSKey, appSKey }
      : undefined
    : appKey === undefined || devAddr !== undefined || nwkSKey !== undefined || appSKey !== undefined
      ? undefined
      : { appKey };
  const asked = isPersonalised ? "give devAddr, nwkSKey and appSKey, and no appKey" : "give appKey, and nothing else";
  const reason = keys === undefined ? asked : keyProblem(keys);
  if (keys === undefined || reason !== undefined)
    throw new GatewayError("LORAWAN_KEY_REFUSED", { reason: reason ?? asked });
  if (isWellKnown(keys)) throw new GatewayError("LORAWAN_KEY_REFUSED", { reason: "it is one that everybody knows" });
  return keys;
}
