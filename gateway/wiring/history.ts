// History, and which devices stood at a point when. A history that cannot be opened stops nothing else.
import type { ApiHistory } from "../api/interfaces.ts";
import { momentMs } from "../domain/point.ts";
import { PHASE_ACTION, phaseChangeOf } from "../engine/phase-acts.ts";
import { GatewayError } from "../errors.ts";
import { HISTORY_CURSOR } from "../history/compactor.ts";
import { type History, noHistory, type Sensor, startHistory } from "../history/history.ts";
import type { Parts } from "./parts.ts";

export async function openHistory({
  config,
  clock,
  logs,
  journal,
}: Pick<Parts, "config" | "clock" | "logs" | "journal">): Promise<History> {
  const { compactEveryS, rawDays, rollupYears } = config.history;
  const log = logs.area("history");
  try {
    return await startHistory({
      dir: config.data.dir,
      journal,
      clock,
      compactEveryMs: compactEveryS * 1000,
      retention: { rawDays, rollupYears },
      log: log.warn,
    });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const reason = String(error.detail["reason"] ?? error.message);
    log.error("history cannot be opened: the journal keeps what it can", { reason });
    // Asking makes it one whose rows are kept: a restart that mends it finds them.
    await journal.cursor(HISTORY_CURSOR);
    return noHistory(reason);
  }
}

export function historyForApi(
  history: History,
  store: Pick<Parts["store"], "registry">,
  journal: Pick<Parts["journal"], "actsOn">,
): ApiHistory {
  const devices = () => store.registry().devices;
  return {
    hasPoint: (pointId) => store.registry().points.some((point) => point.pointId === pointId),
    hasDevice: (deviceId) => devices().some((device) => device.deviceId === deviceId),
    series: (pointId, request) => {
      const sensors = devices().flatMap((device): Sensor[] => {
        if (device.pointId !== pointId) return [];
        const fromMs = device.from === undefined ? 0 : momentMs(device.from);
        const toMs = device.until === undefined ? Number.MAX_SAFE_INTEGER : momentMs(device.until);
        return fromMs < request.toMs && toMs > request.fromMs ? [{ deviceId: device.deviceId, fromMs, toMs }] : [];
      });
      return history.series({ ...request, sensors });
    },
    samples: (deviceId, request) => history.samples({ ...request, deviceId }),
    async phases(pointId, limit, beforeId) {
      // One more than is asked for says whether there is a next page.
      const acts = await journal.actsOn({ action: PHASE_ACTION, object: pointId, beforeId, limit: limit + 1 });
      const page = acts.slice(0, limit);
      return { changes: page.map(phaseChangeOf), next: acts.length > limit ? page.at(-1)?.id : undefined };
    },
  };
}
