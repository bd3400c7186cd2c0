// Numbers of the boards, from their board definitions: what an image is laid out by and what a virtual board has.

export interface BoardTable {
  readonly name: string;
  /** Where Storage begins in flash, its pages, and their size. */
  readonly storageAddress: number;
  readonly storagePages: number;
  readonly pageBytes: number;
  /** Pages of the ring: the first ones behind the header page of its file. */
  readonly ringPages: number;
  readonly variables: number;
  readonly modules: readonly string[];
}

/**
 * ESP32, IDF3 build. A sample a minute for 72 hours is 4320 records; with events and info frames 40 pages of 113 records
 * hold them.
 */
export const ESP32: BoardTable = {
  name: "esp32",
  storageAddress: 0x320000,
  storagePages: 224,
  pageBytes: 4096,
  ringPages: 40,
  variables: 16383,
  modules: ["Storage", "Flash", "crypto", "net", "Wifi"],
};

export const BOARD_TABLES: readonly BoardTable[] = [ESP32];

/** The ring's file comes first in Storage, so that its pages lie where this says. A file's header is 32 bytes. */
export const STORAGE_HEADER_BYTES = 32;

export const FILES = { ring: "wk.ring", config: "wk.cfg", app: "wk.app", id: "wk.id", loader: ".boot0" } as const;
