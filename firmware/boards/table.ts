// Numbers of the boards, from their board definitions: what an image is laid out by and what a virtual board has.
//
// Storage begins with the loader and `wk.id`, which is as long as it takes for the data of `wk.data` to begin exactly with the
// second page. Those data are, in whole pages: slot A, slot B where there is one, the configuration, the ring. They are made
// once, on the bench, and written from then on through Flash only: a Storage that is never written never has to compact.
//
// Rows are plain numbers, so that a bundle gets only those that its own board asks for; `table.test.ts` does the sums.

export interface BoardTable {
  /** As in `--board`; the engine calls the board the same in capitals. */
  readonly name: string;
  /** Where Storage begins in flash, its pages, and their size. */
  readonly storageAddress: number;
  readonly storagePages: number;
  readonly pageBytes: number;
  /** Where the data of `wk.data` begin in flash. Offsets count from here; slot A has offset 0. */
  readonly dataAddress: number;
  /** Places for a program, and the bytes of each. */
  readonly slots: number;
  readonly slotBytes: number;
  /** The configuration, a page. */
  readonly configOffset: number;
  readonly ringOffset: number;
  readonly ringPages: number;
  /** Bytes of a place in the ring: a word and a record. */
  readonly ringSlotBytes: number;
  /** Minutes between two samples for which the ring holds 72 hours. */
  readonly sampleMinutes: number;
  readonly variables: number;
  readonly modules: readonly string[];
}

/** ESP32, IDF3 build. */
export const ESP32: BoardTable = {
  name: "esp32",
  storageAddress: 0x320000,
  storagePages: 224,
  pageBytes: 4096,
  dataAddress: 0x321000,
  slots: 2,
  slotBytes: 32768,
  configOffset: 65536,
  ringOffset: 69632,
  ringPages: 80,
  ringSlotBytes: 32,
  sampleMinutes: 1,
  variables: 16383,
  modules: ["Storage", "Flash", "crypto", "net", "tls", "Wifi", "TelnetServer"],
};

/** Seeed XIAO nRF52840: Storage is its SPI flash. */
export const XIAOBLE: BoardTable = {
  name: "xiaoble",
  storageAddress: 0x60000000,
  storagePages: 512,
  pageBytes: 4096,
  dataAddress: 0x60001000,
  slots: 2,
  slotBytes: 32768,
  configOffset: 65536,
  ringOffset: 69632,
  ringPages: 80,
  ringSlotBytes: 32,
  sampleMinutes: 1,
  variables: 14000,
  modules: ["Storage", "Flash", "crypto"],
};

/** nRF52832: Storage is what the engine leaves of the chip's own flash. */
export const MDBT42Q: BoardTable = {
  name: "mdbt42q",
  storageAddress: 0x6c000,
  storagePages: 10,
  pageBytes: 4096,
  dataAddress: 0x6d000,
  slots: 1,
  slotBytes: 16384,
  configOffset: 16384,
  ringOffset: 20480,
  ringPages: 4,
  ringSlotBytes: 20,
  sampleMinutes: 10,
  variables: 2950,
  modules: ["Storage", "Flash", "crypto", "net"],
};

/** nRF52832 with a display; its crypto has no SHA-256. */
export const PIXLJS: BoardTable = {
  name: "pixljs",
  storageAddress: 0x6d000,
  storagePages: 9,
  pageBytes: 4096,
  dataAddress: 0x6e000,
  slots: 1,
  slotBytes: 16384,
  configOffset: 16384,
  ringOffset: 20480,
  ringPages: 3,
  ringSlotBytes: 20,
  sampleMinutes: 15,
  variables: 2950,
  modules: ["Storage", "Flash", "crypto", "crypto-without-sha256", "net"],
};

export const BOARD_TABLES: readonly BoardTable[] = [ESP32, XIAOBLE, MDBT42Q, PIXLJS];

export const CONFIG_PAGES = 1;

/** A file's header in Storage. */
export const STORAGE_HEADER_BYTES = 32;

/** In the order of their places. */
export const FILES = { loader: ".boot0", id: "wk.id", data: "wk.data" } as const;

/** Bytes of `wk.data`. */
export function dataBytes(table: BoardTable): number {
  return table.ringOffset + table.ringPages * table.pageBytes;
}
