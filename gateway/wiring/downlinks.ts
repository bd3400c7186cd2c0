// What people tell devices: checked, kept in the queue together with its line in the log of acts, and shown.
import { randomUUID } from "node:crypto";
import type { Registry } from "../../protocol/index.ts";
import type { ApiDownlinks } from "../api/interfaces.ts";
import type { Clock } from "../clock.ts";
import { idOf, type WaitingDownlink } from "../domain/downlink-queue.ts";
import { toInstant } from "../domain/instant.ts";
import { contentOf, downlinkProblems, expiryMs, sayContent, shownDownlink } from "../domain/new-downlink.ts";
import { GatewayError } from "../errors.ts";
import type { Commands } from "../ingress/commands.ts";

export interface DownlinkDeps {
  readonly commands: Pick<Commands, "ask" | "list" | "withdraw">;
  readonly clock: Clock;
  registry(): Pick<Registry, "devices">;
}

export function createDownlinks({ commands, clock, registry }: DownlinkDeps): ApiDownlinks {
  function find(deviceId: string) {
    const found = registry().devices.findLast((one) => one.deviceId === deviceId);
    if (found === undefined) throw new GatewayError("DEVICE_UNKNOWN", { deviceId });
    return found;
  }

  function list(deviceId: string) {
    find(deviceId);
    const { waiting, done } = commands.list(deviceId);
    return [...waiting, ...done].map(shownDownlink);
  }

  return {
    list,
    async ask(deviceId, asked, { by, origin }) {
      const { model } = find(deviceId);
      const isOurs = model === undefined;
      const problems = isOurs
        ? downlinkProblems(asked)
        : [`${model} takes no commands of ours: it is set with its maker's app`];
      if (problems.length > 0) throw new GatewayError("DOWNLINK_INVALID", { problems });
      const atMs = clock.nowMs();
      const [content, expiresMs, downlinkId] = [
        contentOf(asked),
        expiryMs(asked, atMs),
        asked.downlinkId ?? randomUUID(),
      ];
      const detail = `${sayContent(content)}, until ${toInstant(expiresMs)}`;
      const act = { atMs, actor: by, action: "downlink-asked", object: deviceId, result: "done", origin, detail };
      const refused = await commands.ask([{ ...content, deviceId, expiresMs, downlinkId, by }], [act]);
      if (refused.length > 0) throw new GatewayError("DOWNLINKS_FULL", { deviceId });
      const kept = list(deviceId).find((one) => one.downlinkId === downlinkId);
      // It can be over and forgotten only when as much was asked while it was written.
      if (kept === undefined) throw new GatewayError("DOWNLINKS_FULL", { deviceId });
      return kept;
    },
    async withdraw(deviceId, downlinkId, { by, origin }) {
      find(deviceId);
      const act = { actor: by, action: "downlink-withdrawn", object: deviceId, result: "done", origin };
      const detail = sayId(commands.list(deviceId).waiting, downlinkId);
      const isDone = await commands.withdraw(deviceId, downlinkId, [{ atMs: clock.nowMs(), ...act, detail }]);
      const kept = isDone ? list(deviceId).find((one) => one.downlinkId === downlinkId) : undefined;
      if (kept === undefined) throw new GatewayError("DOWNLINK_UNKNOWN", { deviceId, downlinkId });
      return kept;
    },
  };
}

function sayId(waiting: readonly WaitingDownlink[], downlinkId: string): string {
  const found = waiting.find((one) => idOf(one) === downlinkId);
  return found === undefined ? downlinkId : sayContent(found);
}
