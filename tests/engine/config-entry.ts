// Configuration A/B on the engine: what the test calls.
import { CONFIG_PAGES, MDBT42Q } from "../../firmware/boards/table.ts";
import { openConfig } from "../../firmware/store/config.ts";
import { confirmBoot } from "../../firmware/store/slots.ts";

declare const global: { [name: string]: unknown };
declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare function print(text: string): void;

/** A free part of the board's flash that stands for its pages of configuration. */
const START = MDBT42Q.dataAddress + MDBT42Q.ringOffset;

function area(start: number) {
  return {
    pageBytes: MDBT42Q.pageBytes,
    pages: CONFIG_PAGES,
    read: (offset: number, length: number) => require("Flash").read(length, start + offset),
    write: (offset: number, bytes: Uint8Array) => require("Flash").write(bytes, start + offset),
    erase: (page: number) => require("Flash").erasePage((start + page * MDBT42Q.pageBytes) | 0),
  };
}

function open() {
  return openConfig({
    flash: area(START),
    crc32: (data) => E.CRC32(data),
    textAt: (offset, length) => {
      let text = "";
      const bytes = require("Flash").read(length, START + offset);
      for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[i] as number);
      return text;
    },
    bytesOf: (text) => E.toUint8Array(text),
  });
}

global["configText"] = () => print(`${open().text()}`);
global["configWrite"] = (text: string) => print(`${open().write(text)}`);
global["confirm"] = () => confirmBoot(area(START + 2 * MDBT42Q.pageBytes), 0);
global["wordAt"] = (offset: number) =>
  print(
    require("Flash")
      .read(4, START + offset)
      .join(),
  );
