// A device at the coordination point blinks and sounds, by a command in its queue. That it was heard nobody says.
import type { Carrier } from "./channel.ts";

export interface AudibleDeps {
  /** `full`: too many commands wait for that device. Rejects when the command cannot be kept. */
  sound(deviceId: string, seconds: number): Promise<"taken" | "full" | "unknown">;
}

const SECONDS_DEFAULT = 30;

export function createAudibleCarrier({ sound }: AudibleDeps): Carrier<"audible"> {
  return {
    deliver: async (_message, { deviceId, seconds = SECONDS_DEFAULT }) => {
      try {
        const answer = await sound(deviceId, seconds);
        if (answer === "taken") return { kind: "handed-on", detail: `${deviceId}, ${seconds} s` };
        if (answer === "unknown") return { kind: "refused", reason: `there is no device ${deviceId}` };
        return { kind: "failed", reason: `too many commands wait for ${deviceId}`, isDown: true };
      } catch (error) {
        return { kind: "failed", reason: error instanceof Error ? error.message : String(error), isDown: true };
      }
    },
  };
}
