// The Storage of a board with a program on it, as the flash command would leave it.
import { bundle, untokenise } from "../../firmware/build/bundle.ts";
import { createImage, numberedSettings } from "../../firmware/build/image.ts";
import { findProfile } from "../../firmware/build/profiles.ts";
import type { DeviceConfig } from "../../firmware/device/settings.ts";
import { createFlash, loadImage } from "../../firmware/simulator/flash.ts";
import { tableOf } from "./program.ts";
import { DEVICE_ID, type EngineScenario, KEY } from "./scenario.ts";

export interface Built {
  readonly storage: Uint8Array;
  readonly tokens: Uint8Array;
  readonly code: string;
  readonly untokenise: (tokens: string) => string;
}

const bundles = new Map<string, ReturnType<typeof bundle>>();

export async function bundleOf(board: string, profile: string): ReturnType<typeof bundle> {
  const found = findProfile(board, profile);
  if (found === undefined) throw new Error(`there is no profile ${profile} for ${board}`);
  const made = bundles.get(found.entry) ?? bundle(found.entry);
  bundles.set(found.entry, made);
  return made;
}

/** The Storage that a scenario begins with. */
export async function buildStorage(scenario: EngineScenario): Promise<Built> {
  const table = tableOf(scenario.board);
  const { tokens, code } = await bundleOf(scenario.board, scenario.profile);
  const settings = numberedSettings((scenario.config["settings"] ?? {}) as Record<string, number>);
  const config = { ...scenario.config, settings, deviceId: DEVICE_ID, key: KEY } as unknown as DeviceConfig;
  const flash = createFlash(table);
  loadImage(flash, createImage(table, tokens, config));
  const known = new Map<string, string>();
  const asText = Buffer.from(tokens).toString("latin1");
  known.set(asText, await untokenise(asText));
  return {
    storage: flash.read(table.storagePages * table.pageBytes, table.storageAddress),
    tokens,
    code,
    untokenise: (text) => known.get(text) ?? text,
  };
}
