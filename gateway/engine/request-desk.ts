// Where people ask for help and say what becomes of it: one at a time, on disk before it is answered.
import type { HelpRequest, NewHelpRequest, NewRequestStep } from "../../protocol/index.ts";
import { lampsDue } from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import type { Doer } from "./deeds.ts";
import type { Picture } from "./picture.ts";
import { askHelp, stepHelp } from "./requests.ts";
import type { Saved, Saver } from "./saving.ts";
import { createDraft, type Draft, type EngineState } from "./state.ts";

/** Devices at a point where all that was pressed has been taken. */
export interface LampsDue {
  readonly pointId: string;
  readonly requestIds: readonly string[];
  readonly deviceIds: readonly string[];
}

export interface RequestDesk {
  /** All that are kept, also closed ones. */
  list(): readonly HelpRequest[];
  get(requestId: string): HelpRequest | undefined;
  /** Rejects with POINT_UNKNOWN, ASK_INVALID, REQUESTS_FULL, JOURNAL_UNUSABLE. */
  ask(pointId: string, asked: NewHelpRequest, doer: Doer): Promise<HelpRequest>;
  /** Rejects with REQUEST_UNKNOWN, REQUEST_STEP_REFUSED, JOURNAL_UNUSABLE. */
  step(requestId: string, step: NewRequestStep, doer: Doer): Promise<HelpRequest>;
  /** Whose 'seen' lamps are to light. */
  lampsDue(): readonly LampsDue[];
  /** The commands for these are kept. */
  lampsAsked(requestIds: readonly string[]): Promise<void>;
}

export interface DeskDeps {
  parts(): { readonly state: EngineState; readonly picture: Picture; readonly saver: Saver };
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  nowMs(): number;
  /** Told of what was saved; the point has another priority by it. */
  told(saved: Saved, pointId: string): void;
}

export function createRequestDesk({ parts, exclusive, nowMs, told }: DeskDeps): RequestDesk {
  const at = (doer: Doer) => ({ ...doer, nowMs: nowMs() });

  function save(work: (draft: Draft) => HelpRequest): Promise<HelpRequest> {
    return exclusive(async () => {
      const { state, saver } = parts();
      const draft = createDraft(state);
      const request = work(draft);
      // Sent again: nothing is new.
      if (draft.requests.size === 0) return request;
      told(await saver.saveNow(draft), request.pointId);
      return request;
    });
  }

  return {
    list: () => [...parts().state.requests.values()].map(({ request }) => request),
    get: (requestId) => parts().state.requests.get(requestId)?.request,
    ask: (pointId, asked, doer) =>
      save((draft) => {
        const view = parts().picture.context.pointOf(pointId);
        if (view === undefined) throw new GatewayError("POINT_UNKNOWN", { pointId });
        return askHelp(draft, view, asked, at(doer));
      }),
    step: (requestId, step, doer) => save((draft) => stepHelp(draft, requestId, step, at(doer))),
    lampsDue: () => {
      const { state, picture } = parts();
      return [...lampsDue(state.requests.values())].map(([pointId, requestIds]) => {
        const deviceIds = picture.context.devicesOf(pointId).map(({ deviceId }) => deviceId);
        return { pointId, requestIds, deviceIds };
      });
    },
    lampsAsked: (requestIds) =>
      exclusive(async () => {
        const { state, saver } = parts();
        const draft = createDraft(state);
        for (const requestId of requestIds) {
          const kept = state.requests.get(requestId);
          if (kept === undefined) continue;
          const { lampDue: _, ...rest } = kept;
          draft.requests.set(requestId, rest);
        }
        await saver.saveNow(draft);
      }),
  };
}
