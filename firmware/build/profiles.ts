// What can be built: a board with what is wired to it.

export interface BuildProfile {
  readonly board: string;
  readonly profile: string;
  /** Composition root, a path within the project. */
  readonly entry: string;
}

export const PROFILES: readonly BuildProfile[] = [
  { board: "esp32", profile: "point", entry: "firmware/boards/esp32.ts" },
  { board: "xiaoble", profile: "point", entry: "firmware/boards/xiaoble.ts" },
  { board: "mdbt42q", profile: "door", entry: "firmware/boards/mdbt42q.ts" },
  { board: "pixljs", profile: "door", entry: "firmware/boards/pixljs.ts" },
];

export function findProfile(board: string, profile: string): BuildProfile | undefined {
  return PROFILES.find((one) => one.board === board && one.profile === profile);
}
