// A device at the coordination point blinks and sounds, by a command in its queue. That it was heard nobody says.
import type { Carrier } from "./channel.ts";

export interface AudibleDeps {
  /** Gives false when too many commands wait for that device; rejects when it cannot be kept. */
  sound(deviceId: string, seconds: number): Promise<boolean>;
}

const SECONDS_DEFAULT = 30;

export function createAudibleCarrier({ sound }: AudibleDeps): Carrier<"audible"> {
  return {
    deliver: async (_message, { deviceId, seconds = SECONDS_DEFAULT }) => {
      try {
        const isTaken = await sound(deviceId, seconds);
        return isTaken
          ? { kind: "handed-on", detail: `${deviceId}, ${seconds} s` }
          : { kind: "failed", reason: `too many commands wait for ${deviceId}`, isDown: true };
      } catch (error) {
        return { kind: "failed", reason: error instanceof Error ? error.message : String(error), isDown: true };
      }
    },
  };
}
