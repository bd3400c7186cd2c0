// What a board runs while the proof writes its settings: as a device does it, in its ring, and as it must not be done.
import { createRing, type Ring } from "../../firmware/store/ring.ts";

declare const global: { [name: string]: unknown };
declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];

const PAGE = 4096;
const SETTINGS_AT = 3;
let ring: Ring;

/** Opens the ring at an address. */
global["settingsOpen"] = (start: number, pages: number, slotBytes: number) => {
  const flash = require("Flash");
  ring = createRing(
    {
      pageBytes: PAGE,
      pages: pages,
      read: (at, length) => flash.read(length, start + at),
      write: (at, bytes) => {
        flash.write(bytes, start + at);
      },
      erase: (page) => {
        flash.erasePage((start + page * PAGE) | 0);
      },
    },
    slotBytes,
    (bytes) => E.CRC32(bytes),
  );
  while (!ring.recover());
};
global["settingsRead"] = () => ring.settings[SETTINGS_AT];
global["settingsWrite"] = (turn: number) => {
  ring.settings[SETTINGS_AT] = turn;
  ring.saveSettings();
  return true;
};
/** Takes sequences until so many slots of the page are left. */
global["settingsFill"] = (left: number, slots: number) => {
  while ((ring.head() + left) % slots !== 0) ring.use();
};
/** The control: a Storage file that is replaced. */
global["plainRead"] = () => require("Storage").read("settings");
global["plainWrite"] = (turn: number) => require("Storage").write("settings", `${turn}`);
