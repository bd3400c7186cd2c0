// Devices as ChirpStack v4 has them: the bodies of its API (api/device.proto), which has no file of its own for many at once. What its
// GET and list answers say can be put behind each other in one text; what is written is one body of each kind a device. Of a LoRaWAN
// 1.0.x device the AppKey stands in `nwkKey`, and each of its three network session keys is the NwkSKey.
import { readJsonStream } from "./json-stream.ts";
import { keyProblem, type LorawanKeys, readEui } from "./lorawan-keys.ts";

export const IMPORT_BYTES_MAX = 4_000_000;
export const IMPORT_DEVICES_MAX = 4_000;
/** A device, its keys, its session, and lists of them. */
const VALUES_MAX = 5 * IMPORT_DEVICES_MAX;

export interface ChirpstackDevice {
  readonly devEui: string;
  readonly name: string;
  readonly joinEui?: string;
  readonly isDisabled: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly keys?: LorawanKeys;
}

export interface ChirpstackRead {
  readonly devices: readonly ChirpstackDevice[];
  /** A sentence each; there are devices only without any. */
  readonly problems: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
interface Parts {
  readonly device?: Fields;
  readonly deviceKeys?: Fields;
  readonly deviceActivation?: Fields;
}

/** Never throws for what stands in it; no problem says what a key is. */
export function readChirpstack(text: string): ChirpstackRead {
  if (text.length > IMPORT_BYTES_MAX) return { devices: [], problems: [`more than ${IMPORT_BYTES_MAX} bytes`] };
  const read = readJsonStream(text, VALUES_MAX);
  if ("problem" in read) return { devices: [], problems: [read.problem] };
  const problems: string[] = [];
  const byEui = new Map<string, Parts>();
  read.values.flatMap(partsOf).forEach((parts, i) => {
    const one = parts.device ?? parts.deviceKeys ?? parts.deviceActivation;
    const devEui = readEui(textOf(one?.["devEui"]));
    if (devEui === undefined) problems.push(`device ${i + 1} has no devEui of 16 hexadecimal digits`);
    else byEui.set(devEui, { ...byEui.get(devEui), ...parts });
  });
  if (byEui.size > IMPORT_DEVICES_MAX) problems.push(`${byEui.size} devices, at most ${IMPORT_DEVICES_MAX}`);
  if (byEui.size === 0 && problems.length === 0) problems.push("there is no device in it");
  const devices = [...byEui].flatMap(([devEui, parts]) => deviceOf(devEui, parts, problems) ?? []);
  return problems.length > 0 ? { devices: [], problems } : { devices, problems };
}

/** `dev_eui` as gRPC tools print it is `devEui` in JSON. */
function camel(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      one,
    ]),
  );
}

/** One answer or body: of one device, or a list of them. */
function partsOf(value: unknown): Parts[] {
  const fields = camel(value);
  if (fields === undefined) return [{}];
  const list = fields["result"];
  if (Array.isArray(list)) return list.map((one) => ({ device: camel(one) ?? {} }));
  const { device, deviceKeys, deviceActivation } = {
    device: camel(fields["device"]),
    deviceKeys: camel(fields["deviceKeys"]),
    deviceActivation: camel(fields["deviceActivation"]),
  };
  return [
    {
      ...(device === undefined ? {} : { device }),
      ...(deviceKeys === undefined ? {} : { deviceKeys }),
      ...(deviceActivation === undefined ? {} : { deviceActivation }),
    },
  ];
}

/** Longer ones are no name, key or id, and would stand whole in a problem. */
const TEXT_MAX = 160;

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, TEXT_MAX).trim() : "";
}

function hexOf(value: unknown): string {
  const hex = textOf(value).toLowerCase();
  return /^0*$/.test(hex) ? "" : hex;
}

function deviceOf(devEui: string, parts: Parts, problems: string[]): ChirpstackDevice | undefined {
  const device = parts.device ?? {};
  const keys = keysOf(parts);
  if (typeof keys === "string") {
    problems.push(`${devEui}: ${keys}`);
    return undefined;
  }
  const joinText = hexOf(device["joinEui"]);
  const joinEui = readEui(joinText);
  if (joinText !== "" && joinEui === undefined) problems.push(`${devEui}: joinEui has not 16 hexadecimal digits`);
  const tags = Object.entries(camelTags(device["tags"]));
  return {
    devEui,
    name: textOf(device["name"]),
    isDisabled: device["isDisabled"] === true,
    tags: Object.fromEntries(tags),
    ...(joinEui === undefined ? {} : { joinEui }),
    ...(keys === undefined ? {} : { keys }),
  };
}

function camelTags(value: unknown): Record<string, string> {
  const tags = Object.entries(camel(value) ?? {}).map(([name, one]) => [name, textOf(one)] as const);
  return Object.fromEntries(tags.filter(([, text]) => text !== ""));
}

/** Undefined when it has none, or why they cannot be used. */
function keysOf({ deviceKeys, deviceActivation }: Parts): LorawanKeys | string | undefined {
  const [nwkKey, appKey] = [hexOf(deviceKeys?.["nwkKey"]), hexOf(deviceKeys?.["appKey"])];
  if (appKey !== "" && nwkKey !== "" && appKey !== nwkKey)
    return "is a LoRaWAN 1.1 device, which has two root keys: not served";
  if (appKey !== "" && nwkKey === "")
    return "has an appKey and no nwkKey: for LoRaWAN 1.0.x ChirpStack has the AppKey in nwkKey";
  if (nwkKey !== "") return checked({ appKey: nwkKey });
  const nwkSKey = hexOf(deviceActivation?.["nwkSEncKey"]);
  if (nwkSKey === "") return undefined;
  const others = ["sNwkSIntKey", "fNwkSIntKey"].map((name) => hexOf(deviceActivation?.[name]));
  if (others.some((one) => one !== "" && one !== nwkSKey))
    return "is a LoRaWAN 1.1 session, which has several network keys: not served";
  const [devAddr, appSKey] = [
    textOf(deviceActivation?.["devAddr"]).toLowerCase(),
    hexOf(deviceActivation?.["appSKey"]),
  ];
  return checked({ devAddr, nwkSKey, appSKey });
}

function checked(keys: LorawanKeys): LorawanKeys | string {
  return keyProblem(keys) ?? keys;
}

export interface ChirpstackTarget {
  /** UUIDs of the application and device profile that they are to be in. */
  readonly applicationId: string;
  readonly deviceProfileId: string;
}

/** One device, its keys left out where they are not given. */
export function chirpstackBodies(
  { devEui, name, joinEui, isDisabled, tags, keys }: ChirpstackDevice,
  { applicationId, deviceProfileId }: ChirpstackTarget,
  description: string,
): object {
  const device = {
    ...{ devEui, name, description, applicationId, deviceProfileId, skipFcntCheck: false, isDisabled, tags },
    ...(joinEui === undefined ? {} : { joinEui }),
  };
  if (keys === undefined) return { device };
  if (keys.appKey !== undefined) return { device, deviceKeys: { devEui, nwkKey: keys.appKey } };
  const { devAddr, appSKey, nwkSKey } = keys;
  const network = { nwkSEncKey: nwkSKey, sNwkSIntKey: nwkSKey, fNwkSIntKey: nwkSKey };
  return { device, deviceActivation: { devEui, devAddr, appSKey, ...network } };
}
