// What a board runs while the proof writes its configuration: as a device does it, and as it must not be done.
import { CONFIG_PAGES } from "../../firmware/boards/table.ts";
import { type ConfigStore, openConfig } from "../../firmware/store/config.ts";

declare const global: { [name: string]: unknown };
declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];

const PAGE = 4096;
let config: ConfigStore | undefined;

/** Opens the configuration at an offset within the board's data, which begin at this address. */
global["configOpen"] = (dataAddress: number, offset: number) => {
  const start = dataAddress + offset;
  const flash = require("Flash");
  config = openConfig({
    flash: {
      pageBytes: PAGE,
      pages: CONFIG_PAGES,
      read: (at, length) => flash.read(length, start + at),
      write: (at, bytes) => {
        flash.write(bytes, start + at);
      },
      erase: (page) => {
        flash.erasePage((start + page * PAGE) | 0);
      },
    },
    crc32: (data) => E.CRC32(data),
    textAt: (at, length) => require("Storage").read("wk.data", offset + at, length) as string,
    bytesOf: (text) => E.toUint8Array(text),
  });
};
global["configText"] = () => (config as ConfigStore).text();
global["configWrite"] = (text: string) => (config as ConfigStore).write(text);
/** The control: a Storage file that is replaced. */
global["plainText"] = () => require("Storage").read("config");
global["plainWrite"] = (text: string) => require("Storage").write("config", text);
