// The modules of a virtual board: those of its table and no others.
import { createHash } from "node:crypto";
import { asModule } from "./virtual-engine.ts";
import { bytesInside, bytesOf, type Globals, type Life, noting } from "./virtual-life.ts";

/** A module is made once a boot: what listens on it goes on listening. */
export function installModules(life: Life): void {
  const made = new Map<string, unknown>();
  life.globals["require"] = (name: string) => {
    if (!life.options.table.modules.includes(name)) throw new Error(`Module ${name} not found`);
    const module = made.get(name) ?? makeModule(life, name);
    made.set(name, module);
    return module;
  };
}

function makeModule(life: Life, name: string): unknown {
  switch (name) {
    case "Storage":
      return asModule(storage(life));
    case "Flash":
      return asModule(rawFlash(life));
    case "crypto":
      return asModule(crypto(life));
    case "Wifi":
      return asModule(wifi(life));
    case "net":
      return asModule(net(life));
    case "TelnetServer":
      return asModule({ setOptions: noting(life, "TelnetServer.setOptions") });
    default:
      throw new Error(`the virtual board has no module ${name} yet`);
  }
}

function storage(life: Life): Globals {
  const { flash } = life.options;
  return {
    eraseAll: () => flash.storage.eraseAll(),
    compact: () => flash.storage.compact(),
    read: (file: string, offset = 0, length?: number) => {
      const text = flash.file(file);
      if (offset === 0 && length === undefined) return text;
      return text?.slice(offset, length === undefined ? undefined : offset + length);
    },
    write: (file: string, data: string | Uint8Array, offset = 0, size = 0) => {
      const bytes = bytesOf(data);
      return flash.storeFile(file, bytes, offset, size || bytes.length);
    },
    list: () => [...flash.list().keys()].filter((name) => name !== ""),
    getStats: () => ({ trashBytes: flash.list().get("") ?? 0 }),
    readJSON: (file: string) => JSON.parse(flash.file(file) ?? "null") as unknown,
  };
}

function rawFlash(life: Life): Globals {
  const { flash } = life.options;
  return {
    read: (length: number, address: number) => bytesInside(life, flash.read(length, address)),
    write: (data: string | Uint8Array, address: number) => flash.write(bytesOf(data), address),
    erasePage: (address: number) => flash.erasePage(address),
  };
}

type Hashable = number | Iterable<Hashable>;

/** Where the engine asks for bytes, a number is one, and an array is those of all that is in it. */
function flatBytes(data: Hashable): number[] {
  return typeof data === "number" ? [data & 255] : [...data].flatMap(flatBytes);
}

/** Boards whose crypto has no SHA-256 say so in their table as `crypto` without `SHA256`. */
function crypto(life: Life): Globals {
  const { modules } = life.options.table;
  if (modules.includes("crypto-without-sha256")) return {};
  return {
    SHA256: (data: Hashable) =>
      bytesInside(
        life,
        createHash("sha256")
          .update(Uint8Array.from(flatBytes(data)))
          .digest(),
      ).buffer,
  };
}

function wifi(life: Life): Globals {
  const { network, schedule } = life.options;
  let gone: (() => void) | undefined;
  const look = () => {
    if (life.isOver()) return;
    if (network.isReachable()) schedule.after(1000, look);
    else life.guarded(() => gone?.());
  };
  return {
    connect: (_ssid: string, _options: unknown, done: (error: string | null) => void) => {
      schedule.after(1500, () => {
        if (life.isOver()) return;
        const reachable = network.isReachable();
        if (reachable) schedule.after(1000, look);
        life.guarded(() => done(reachable ? null : "no access point found"));
      });
    },
    on: (event: string, listener: () => void) => {
      if (event === "disconnected") gone = listener;
    },
    disconnect: () => undefined,
  };
}

function net(life: Life): Globals {
  return {
    connect: ({ host, port }: { host: string; port: number }, connected: () => void) => {
      const listeners: Record<string, (value: unknown) => void> = {};
      const close = () => socket.end();
      const socket = life.options.network.connect(host, port, {
        opened: () => life.guarded(connected),
        data: (text) => life.guarded(() => listeners["data"]?.(text)),
        closed: () => {
          life.closing.delete(close);
          life.guarded(() => listeners["close"]?.(false));
        },
      });
      life.closing.add(close);
      return {
        on: (event: string, listener: (value: unknown) => void) => {
          listeners[event] = listener;
        },
        write: (data: string) => {
          socket.write(data);
          return true;
        },
        end: () => socket.end(),
      };
    },
  };
}
