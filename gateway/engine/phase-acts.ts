// A phase that changed, for the log of acts: who moved it, and when that was.
import { toInstant } from "../domain/instant.ts";
import type { Lifecycle } from "../domain/lifecycle.ts";
import type { EngineAct } from "./state.ts";

export function phaseAct(pointId: string, { current, changes }: Lifecycle, atMs: number): EngineAct {
  const before = changes.filter((change) => change !== current).at(-1)?.phase;
  return {
    atMs,
    actor: current?.told?.by ?? current?.deviceId ?? "gateway",
    action: "phase-changed",
    object: pointId,
    result: current?.phase ?? "unknown",
    origin: current?.told?.via ?? "device",
    detail: JSON.stringify({
      ...(current === undefined ? {} : { at: toInstant(current.atMs) }),
      ...(before === undefined ? {} : { before }),
    }),
  };
}
