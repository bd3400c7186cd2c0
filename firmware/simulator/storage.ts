// Storage as the engine keeps it in flash: files one behind the other, each with a header of 32 bytes (size, flags, name). A file
// is replaced by clearing its name and making a new one; when no room is left the engine moves the files together. Neither
// outlives a power cut, which is what the tests have this for: nothing of ours does either of them in the field.

export const FILE_HEADER_BYTES = 32;
const NAME_AT = 4;
const NAME_BYTES = 28;
const SIZE_MASK = 0xffffff;

/** Flash as Storage sees it; every write and every erase is one operation. */
export interface Cells {
  readonly start: number;
  readonly end: number;
  readonly pageBytes: number;
  read(length: number, address: number): Uint8Array;
  write(bytes: Uint8Array, address: number): void;
  erasePage(address: number): void;
}

export interface StoredFile {
  readonly at: number;
  /** Empty when the file was replaced: trash. */
  readonly name: string;
  readonly size: number;
}

export interface Storage {
  /** In the order of their places, trash included. */
  files(): StoredFile[];
  find(name: string): StoredFile | undefined;
  read(name: string): Uint8Array | undefined;
  write(name: string, data: Uint8Array, offset: number, size: number): boolean;
  compact(): boolean;
  /** What the engine looks at when it boots; it erases all of Storage when this does not hold. */
  isValid(): boolean;
  eraseAll(): void;
}

interface Walk {
  readonly found: StoredFile[];
  /** Where it ended; 0 behind the last page. */
  readonly at: number;
  /** The last place that was looked at for a header. */
  readonly looked: number;
}

function aligned(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function isErased(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 255);
}

export function createStorage(cells: Cells): Storage {
  const { start, end, pageBytes } = cells;

  function headerAt(at: number): StoredFile | undefined {
    const bytes = cells.read(FILE_HEADER_BYTES, at);
    const word = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const size = word & SIZE_MASK;
    if (word === 0xffffffff || word === 0 || at + FILE_HEADER_BYTES + size > end) return undefined;
    const name = bytes[NAME_AT] === 0 ? "" : Buffer.from(bytes.subarray(NAME_AT)).toString("latin1");
    return { at, name: name.replace(/\0.*$/s, ""), size };
  }

  function behind(file: StoredFile): number {
    return file.at + FILE_HEADER_BYTES + aligned(file.size);
  }

  function nextPage(at: number): number {
    const next = Math.floor((at - start) / pageBytes + 1) * pageBytes + start;
    return next >= end ? 0 : next;
  }

  /** From header to header; over a gap once, to the page behind it. */
  function walk(from: number, isOverGaps: boolean): Walk {
    const found: StoredFile[] = [];
    let at = from;
    for (let file = headerAt(at); file !== undefined; ) {
      found.push(file);
      const next = behind(file);
      if (next + FILE_HEADER_BYTES > end) return { found, at: 0, looked: 0 };
      at = next;
      file = headerAt(at);
      if (file !== undefined || !isOverGaps) continue;
      at = nextPage(next);
      if (at === 0) return { found, at: 0, looked: next };
      file = headerAt(at);
    }
    return { found, at, looked: at };
  }

  function find(name: string): StoredFile | undefined {
    return walk(start, true).found.find((file) => file.name === name);
  }

  /** Clears the name; from here on the old content is out of reach. */
  function discard(file: StoredFile): void {
    cells.write(new Uint8Array(4), file.at + NAME_AT);
  }

  function roomAt(at: number): number {
    const next = nextPage(at);
    return (next === 0 || headerAt(next) === undefined ? end : next) - at;
  }

  function freePlace(size: number): { at: number; space: number } {
    let space = 0;
    for (let at = start; at !== 0; ) {
      const walked = walk(at, false);
      for (const file of walked.found) if (file.name === "") space += file.size;
      if (walked.at === 0) return { at: 0, space };
      const room = roomAt(walked.at);
      if (room >= size) return { at: walked.at, space };
      space += room;
      at = nextPage(walked.at);
    }
    return { at: 0, space };
  }

  function create(name: string, size: number): StoredFile | undefined {
    const needed = aligned(size) + FILE_HEADER_BYTES;
    let { at, space } = freePlace(needed);
    if (at === 0 && needed < space && compact()) ({ at, space } = freePlace(needed));
    if (at === 0) return undefined;
    const header = new Uint8Array(FILE_HEADER_BYTES);
    new DataView(header.buffer).setUint32(0, size, true);
    header.set(Buffer.from(name, "latin1").subarray(0, NAME_BYTES), NAME_AT);
    cells.write(header, at);
    return { at, name, size };
  }

  /** Writes any number of bytes at any address: what is added to fill a word is what lies there. */
  function writeAligned(data: Uint8Array, address: number): void {
    const from = address - (address % 4);
    const words = cells.read(aligned(address - from + data.length), from);
    words.set(data, address - from);
    cells.write(words, from);
  }

  function contentOf(file: StoredFile): Uint8Array {
    return cells.read(aligned(file.size) || 4, Math.min(file.at + FILE_HEADER_BYTES, end - 4)).subarray(0, file.size);
  }

  function write(name: string, data: Uint8Array, offset: number, wanted: number): boolean {
    const size = wanted || data.length;
    if (size === 0) throw new Error("Can't create zero length file");
    let file = find(name);
    if (offset === 0 && (file === undefined || file.size !== size || !isErased(contentOf(file)))) {
      if (file !== undefined && file.size === size && Buffer.compare(contentOf(file), data) === 0) return true;
      if (file !== undefined) discard(file);
      file = create(name, size);
    }
    if (file === undefined) throw new Error("Unable to find or create file");
    if (offset + data.length > file.size) throw new Error("Too much data for file size");
    if (!isErased(contentOf(file).subarray(offset, offset + data.length)))
      throw new Error("File already written with different data");
    writeAligned(data, file.at + FILE_HEADER_BYTES + offset);
    return true;
  }

  /** The page from which on files have to move: the last one before the first trash that no file reaches into. */
  function firstToMove(files: readonly StoredFile[]): number {
    let unbroken = start;
    for (const file of files) {
      if ((file.at - start) % pageBytes === 0) unbroken = file.at;
      if (file.name === "") return unbroken;
    }
    return 0;
  }

  /** Reads ahead into memory, and erases and writes each page once all that it held has been read: memory goes with the power. */
  function compact(): boolean {
    const all = walk(start, true);
    const from = firstToMove(all.found);
    if (from === 0) return false;
    const kept = all.found.filter((file) => file.name !== "").map((file) => aligned(file.size) + FILE_HEADER_BYTES);
    const memory = Math.min(
      pageBytes + FILE_HEADER_BYTES,
      kept.reduce((sum, size) => sum + size, 0),
    );
    let held = new Uint8Array();
    let writeAt = from;
    const flush = (readAt: number) => {
      while (held.length > 0) {
        const pageEnd = nextPage(writeAt) || end;
        if (readAt < pageEnd) return;
        const part = held.subarray(0, pageEnd - writeAt);
        if ((writeAt - start) % pageBytes === 0) cells.erasePage(writeAt);
        cells.write(part, writeAt);
        writeAt += part.length;
        held = held.slice(part.length);
      }
    };
    for (const file of walk(from, true).found.filter((one) => one.name !== "")) {
      for (let at = file.at; at < behind(file); ) {
        const length = Math.min(memory - held.length, behind(file) - at);
        held = Uint8Array.from([...held, ...cells.read(length, at)]);
        at += length;
        flush(at);
      }
    }
    flush(end);
    const rest = writeAt === from ? from : nextPage(writeAt - 4);
    for (let at = rest; at !== 0 && at < (all.at || end); at = nextPage(at)) cells.erasePage(at);
    return true;
  }

  return {
    files: () => walk(start, true).found,
    find,
    read: (name) => {
      const file = find(name);
      return file === undefined ? undefined : contentOf(file);
    },
    write,
    compact,
    isValid: () => {
      const { found, at, looked } = walk(start, true);
      const last = found.at(-1);
      if (last === undefined) return isErased(cells.read(end - start, start));
      // Full to the last bytes.
      if (at === 0 && looked === 0) return behind(last) <= end;
      return isErased(cells.read(FILE_HEADER_BYTES, looked));
    },
    eraseAll: () => {
      for (let at = start; at < end; at += pageBytes) cells.erasePage(at);
    },
  };
}
