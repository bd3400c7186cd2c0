// The decoder of every model that a registry can name.
import type { DeviceModelName } from "../../../../protocol/index.ts";
import type { Decoder } from "./decoder.ts";
import { decodeEm500Udl } from "./milesight.ts";

export const DECODERS: Readonly<Partial<Record<DeviceModelName, Decoder>>> = { "EM500-UDL": decodeEm500Udl };
