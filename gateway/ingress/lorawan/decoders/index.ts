// The decoder of every model that a registry can name.
import type { DeviceModelName } from "../../../../protocol/index.ts";
import type { Decoder } from "./decoder.ts";
import { decodeCpl03, decodeLdds75, decodePsLb } from "./dragino.ts";
import { decodeEm500Udl, decodeUc300, decodeVs121, decodeVs133 } from "./milesight.ts";

export const DECODERS: Readonly<Record<DeviceModelName, Decoder>> = {
  VS121: decodeVs121,
  VS133: decodeVs133,
  "EM500-UDL": decodeEm500Udl,
  UC300: decodeUc300,
  LDDS75: decodeLdds75,
  "PS-LB": decodePsLb,
  CPL03: decodeCpl03,
};
