// What another file of recipients changes, by name: whoever saved it sees whether it was what they meant.
import type { NotifyPlan } from "../../protocol/index.ts";

/** `notify.file: recipients changed: officier (at once)`; a line for each kind of change. */
export function planDifference(before: NotifyPlan, after: NotifyPlan): string[] {
  const [old, next] = [byId(before), byId(after)];
  const kinds = {
    added: [...next.keys()].filter((id) => !old.has(id)),
    changed: [...next.keys()].filter((id) => old.has(id) && old.get(id) !== next.get(id)),
    removed: [...old.keys()].filter((id) => !next.has(id)),
  };
  const lines = Object.entries(kinds)
    .filter(([, ids]) => ids.length > 0)
    .map(([kind, ids]) => `recipients ${kind}: ${ids.join(", ")}`);
  const order = [before, after].map((plan) => plan.recipients.map((one) => one.recipientId).join());
  if (lines.length === 0 && order[0] !== order[1]) lines.push("recipients in another order");
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== "recipients");
  const others = (keys as (keyof NotifyPlan)[]).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return [...lines, ...others.map((key) => `${key} changed`)].map((line) => `notify.file: ${line} (at once)`);
}

function byId({ recipients }: NotifyPlan): Map<string, string> {
  return new Map(recipients.map((one) => [one.recipientId, JSON.stringify(one)]));
}
