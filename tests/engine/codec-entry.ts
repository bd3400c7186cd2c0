// The protocol's codec on the engine: called by name from the test.
import {
  backlogRowOf,
  createBacklogEncoder,
  decodeDownlink,
  decodeUplink,
  encodeAck,
  encodeCommand,
  encodeConfig,
  encodeEvent,
  encodeInfo,
  encodeReport,
  openFrame,
  sealFrame,
} from "../../protocol/wire.ts";
import { ofHex, toHex } from "./hex.ts";

declare const global: { [name: string]: unknown };
declare function print(text: string): void;
declare function require(name: string): { SHA256(bytes: Uint8Array): ArrayBuffer };

const MODULE = "crypto";
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(require(MODULE).SHA256(bytes));
const encoders: { [kind: string]: (value: never) => Uint8Array } = {
  report: encodeReport,
  info: encodeInfo,
  event: encodeEvent,
  ack: encodeAck,
  config: encodeConfig,
  command: encodeCommand,
};

global["encode"] = (kind: string, text: string): void => {
  print(toHex((encoders[kind] as (value: never) => Uint8Array)(JSON.parse(text) as never)));
};

global["decode"] = (isDownlink: boolean, hex: string): void => {
  const decoded = isDownlink ? decodeDownlink(ofHex(hex)) : decodeUplink(ofHex(hex));
  if (decoded.kind !== "backlog") {
    // In quotes: a bundle has names of its own for what is not.
    const out: { [name: string]: unknown } = {};
    out["kind"] = decoded.kind;
    if (decoded.kind !== "fault") out["value"] = decoded.value;
    else out["fault"] = decoded.fault;
    if ("header" in decoded) out["header"] = decoded.header;
    print(JSON.stringify(out));
    return;
  }
  const reports: string[] = [];
  for (let i = 0; i < decoded.value.reports.length; i++) reports.push(toHex(decoded.value.reports[i] as Uint8Array));
  print(reports.join(" "));
};

global["seal"] = (key: string, hex: string): void => print(toHex(sealFrame(sha256, ofHex(key), ofHex(hex))));
global["open"] = (key: string, hex: string): void => {
  const frame = openFrame(sha256, ofHex(key), ofHex(hex));
  print(frame === undefined ? "" : toHex(frame));
};
global["sha256"] = (hex: string): void => print(toHex(sha256(ofHex(hex))));

global["backlog"] = (head: string, bytesMax: number, stepS: number, reports: string): void => {
  const given = reports.split(" ");
  const encoder = createBacklogEncoder(backlogRowOf((ofHex(head)[10] as number) & 63), bytesMax);
  encoder.start(ofHex(head), bytesMax, stepS);
  for (let i = 0; i < given.length; i++) if (!encoder.add(ofHex(given[i] as string))) break;
  print(toHex(encoder.finish()));
};
