// A phase that changed, for the log of acts: who moved it, and when that was; and the way back for those who read the log.
import { PHASES, type Phase, type PhaseChange } from "../../protocol/index.ts";
import { toInstant } from "../domain/instant.ts";
import type { Lifecycle } from "../domain/lifecycle.ts";
import type { EngineAct } from "./state.ts";

export const PHASE_ACTION = "phase-changed";

export function phaseAct(pointId: string, { current, changes }: Lifecycle, atMs: number): EngineAct {
  const before = changes.filter((change) => change !== current).at(-1)?.phase;
  return {
    atMs,
    actor: current?.told?.by ?? current?.deviceId ?? "gateway",
    action: PHASE_ACTION,
    object: pointId,
    result: current?.phase ?? "unknown",
    origin: current === undefined ? "engine" : (current.told?.via ?? "device"),
    detail: JSON.stringify({
      ...(current === undefined ? {} : { at: toInstant(current.atMs) }),
      ...(before === undefined ? {} : { before }),
    }),
  };
}

const SOURCES: Readonly<Record<string, PhaseChange["source"]>> = {
  device: "device",
  voice: "voice",
  runner: "runner",
  visit: "visit",
  screen: "screen",
};

/** The change that an act of the log tells of. What a later version wrote in words of its own is `unknown`, and by the gateway. */
export function phaseChangeOf({ atMs, actor, result, origin, detail }: EngineAct): PhaseChange {
  const { at, before } = detailIn(detail);
  const from = phaseIn(before);
  const recordedAt = toInstant(atMs);
  return {
    phase: phaseIn(result) ?? "unknown",
    ...(from === undefined ? {} : { before: from }),
    at: typeof at === "string" && !Number.isNaN(Date.parse(at)) ? toInstant(Date.parse(at)) : recordedAt,
    recordedAt,
    source: SOURCES[origin] ?? "gateway",
    actor,
  };
}

function phaseIn(word: unknown): Phase | undefined {
  return PHASES.find((one): one is Phase => one === word);
}

function detailIn(text: string): { readonly at?: unknown; readonly before?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
