// What devices out of ChirpStack become here: keys for those that the registry names by their DevEUI, and new rows for others, by their
// tags. Pure: all of them or none.
import { DEVICE_MODEL_NAMES, type Device, ID_PATTERN, type Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { GatewayError } from "../errors.ts";
import { type ChirpstackDevice, readChirpstack } from "./chirpstack.ts";
import { isWellKnown, type LorawanKeyStore, type LorawanKeys } from "./lorawan-keys.ts";
import { lorawanRows } from "./lorawan-moves.ts";
import { bounded, registryOf } from "./registry.ts";
import type { ListProblems } from "./shape.ts";

const BOARDS = ["esp32", "xiaoble", "mdbt42q", "pixljs", "virtual"] as const;

export interface ImportPlan {
  readonly registry: Registry;
  readonly keys: Readonly<Record<string, LorawanKeys>>;
  /** By what happens to it. */
  readonly added: readonly string[];
  readonly keyed: readonly string[];
  readonly unchanged: readonly string[];
  readonly warnings: readonly string[];
}

/** Throws IMPORT_INVALID, REGISTRY_INVALID, each with every problem. */
export function planImport(
  text: string,
  now: { readonly registry: Registry; readonly keys: LorawanKeyStore; readonly nowMs: number },
  listProblems: ListProblems,
): ImportPlan {
  const { devices, problems: faults } = readChirpstack(text);
  const problems = [...faults];
  const names = new Map(lorawanRows(now.registry, now.nowMs).map((one) => [one.lorawan.devEui, one.deviceId]));
  const added: Device[] = [];
  const keys: Record<string, LorawanKeys> = {};
  const done = { keyed: [] as string[], unchanged: [] as string[], warnings: [] as string[] };
  for (const device of devices) {
    const { devEui } = device;
    const known = names.get(devEui);
    const row = known === undefined ? rowOf(device, now.registry) : undefined;
    if (typeof row === "string") {
      problems.push(`${devEui} (${device.name || "no name"}): ${row}`);
      continue;
    }
    const deviceId = known ?? row?.deviceId ?? devEui;
    if (row !== undefined) added.push(row);
    if (device.keys === undefined)
      done.warnings.push(`${deviceId} comes without keys: waakvlam lorawan rekey ${deviceId}`);
    else {
      if (isWellKnown(device.keys)) done.warnings.push(`${deviceId} has a key that everybody knows: give it another`);
      if (!isSame(now.keys.get(devEui), device.keys)) keys[devEui] = device.keys;
    }
    if (row === undefined) (keys[devEui] === undefined ? done.unchanged : done.keyed).push(deviceId);
  }
  if (problems.length > 0) throw new GatewayError("IMPORT_INVALID", { problems: bounded(problems) });
  const registry = registryOf(
    { ...now.registry, devices: [...now.registry.devices, ...added] },
    "import",
    listProblems,
  );
  return { registry, keys, added: added.map(({ deviceId }) => deviceId), ...done };
}

function isSame(a: LorawanKeys | undefined, b: LorawanKeys): boolean {
  return JSON.stringify(Object.entries(a ?? {}).sort()) === JSON.stringify(Object.entries(b).sort());
}

/** The row that its tags make of it, or what they lack. */
function rowOf(
  { devEui, name, joinEui, isDisabled, tags, keys }: ChirpstackDevice,
  registry: Registry,
): Device | string {
  const { pointId, model: modelText, board: boardText } = tags;
  if (pointId === undefined)
    return "the registry has no device with this devEui: name it there, or give it the tag pointId in ChirpStack";
  const points = registry.points.map((one) => one.pointId);
  if (!points.includes(pointId)) return `tag pointId ${pointId} is no point${hint(pointId, points)}`;
  const deviceId =
    tags["deviceId"] ??
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "");
  if (!new RegExp(ID_PATTERN).test(deviceId))
    return "its name makes no id: give it the tag deviceId, 3 to 32 of a-z, 0-9 and hyphen";
  const model = DEVICE_MODEL_NAMES.find((one) => one.toLowerCase() === modelText?.toLowerCase());
  if (modelText !== undefined && model === undefined)
    return `tag model ${modelText} is not known${hint(modelText, DEVICE_MODEL_NAMES)}: the models are ${DEVICE_MODEL_NAMES.join(", ")}`;
  const board = BOARDS.find((one) => one === boardText);
  if (model === undefined && board === undefined)
    return `give it the tag model (${DEVICE_MODEL_NAMES.join(", ")}), or board for one of ours (${BOARDS.join(", ")})`;
  return {
    ...{ deviceId, pointId, board: model === undefined ? (board as Device["board"]) : "other", link: "lorawan" },
    lorawan: {
      devEui,
      ...(joinEui === undefined ? {} : { joinEui }),
      ...(keys?.devAddr === undefined ? {} : { activation: "abp" }),
    },
    ...(model === undefined ? {} : { model }),
    ...(isDisabled ? { disabled: true } : {}),
  };
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "" : `: did you mean ${near}?`;
}
