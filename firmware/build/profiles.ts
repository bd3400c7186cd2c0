// What can be built: a board with what is wired to it.

export interface BuildProfile {
  readonly board: string;
  readonly profile: string;
  /** Composition root, a path within the project. */
  readonly entry: string;
}

export const PROFILES: readonly BuildProfile[] = [
  { board: "esp32", profile: "point", entry: "firmware/boards/esp32.ts" },
];

export function findProfile(board: string, profile: string): BuildProfile | undefined {
  return PROFILES.find((one) => one.board === board && one.profile === profile);
}
