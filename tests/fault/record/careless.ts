// Loaded before a writer: the broken variant that goes on after a failed sync as if nothing had happened. It opens the file anew,
// and believes what it finds there.
import { registerHooks } from "node:module";

registerHooks({
  load: (url, context, next) => {
    if (!url.endsWith("/gateway/journal/settle.ts")) return next(url, context);
    return { format: "module", source: "export function settleLog() {}", shortCircuit: true };
  },
});
