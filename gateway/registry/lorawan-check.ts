// What a schema cannot say of devices on LoRaWAN: whom a DevEUI names, and whether readings that are not ours can be understood.
import { DEVICE_MODELS, type Device, type Registry, type Sensing } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { overlap } from "./check.ts";
import { placeOf } from "./shape.ts";

export function checkLorawan({ devices }: Registry): string[] {
  return [
    ...checkEuis(devices),
    ...devices.flatMap((device, i) => {
      const place = placeOf("devices", i, device);
      return modelProblems(device).map((problem) => `${place}/${problem}`);
    }),
  ];
}

/** A board that takes the place of another may have its DevEUI only after it. */
function checkEuis(devices: readonly Device[]): string[] {
  const seen = new Map<string, number[]>();
  return devices.flatMap((device, i) => {
    const { devEui } = device.lorawan ?? {};
    if (devEui === undefined) return [];
    const before = seen.get(devEui) ?? [];
    seen.set(devEui, [...before, i]);
    const other = before.find((j) => {
      const one = devices[j] as Device;
      return one.deviceId !== device.deviceId && overlap(one, device);
    });
    if (other === undefined) return [];
    return [`${placeOf("devices", i, device)}/lorawan/devEui ${devEui} is that of devices/${other} at the same time`];
  });
}

function modelProblems({ board, link, lorawan, model, sensing }: Device): string[] {
  if (model === undefined) {
    return [
      ...(board === "other" ? ["board is other, so model has to say which device it is"] : []),
      ...(sensing === undefined ? [] : ["sensing needs a model: boards of ours say themselves what they measure"]),
    ];
  }
  const problems: string[] = [];
  if (board !== "other") problems.push(`board is ${board} although it is a ${model}: write other`);
  if (link !== "lorawan" || lorawan === undefined) {
    problems.push(`model is ${model}, which comes over LoRaWAN: set link to lorawan, and lorawan.devEui`);
  }
  return [...problems, ...sensingProblems(model, sensing ?? {})];
}

function sensingProblems(model: keyof typeof DEVICE_MODELS, sensing: Sensing): string[] {
  const { channels, ...kind } = DEVICE_MODELS[model];
  const level = "level" in kind ? kind.level : undefined;
  const { lines, ...fields } = sensing;
  const problems: string[] = [];
  if (lines !== undefined && model !== "VS133") problems.push("sensing/lines is of a VS133 alone");
  for (const [field, one] of Object.entries(fields)) {
    const from = one.from ?? level;
    const known: readonly string[] = channels;
    if (from === undefined) problems.push(`sensing/${field}/from is missing: ${model} has no level of its own`);
    else if (!known.includes(from)) {
      const near = nearest(from, known);
      const hint = near === undefined ? "" : `: did you mean ${near}?`;
      problems.push(`sensing/${field}/from ${from} is no channel of a ${model}${hint}`);
    }
    if ("empty" in one && one.empty === one.full) problems.push(`sensing/${field}/full is the same as empty`);
    const isSwitch = field === "generator" || field === "generatorFailed" || field === "mains";
    if (isSwitch && "atLeast" in one === "below" in one) {
      problems.push(`sensing/${field} needs either atLeast or below`);
    }
  }
  return problems;
}
