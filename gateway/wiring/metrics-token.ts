// Who may read the metrics from another machine: whoever has the token of a file.
import { createHash, timingSafeEqual } from "node:crypto";
import type { GatewayConfig } from "../../protocol/index.ts";
import { readPem } from "./parts.ts";

export interface MetricsToken {
  /** Compared in a time that does not tell how much of it was right. */
  isRight(token: string): boolean;
  /** Reads the file of a configuration; gives what puts it in force. Throws FILE_UNREADABLE. */
  prepare(config: Pick<GatewayConfig, "metrics">): () => void;
}

const digest = (text: string) => createHash("sha256").update(text).digest();

export function createMetricsToken(config: Pick<GatewayConfig, "metrics">): MetricsToken {
  let wanted: Buffer | undefined;
  const prepare: MetricsToken["prepare"] = ({ metrics }) => {
    const next = metrics.tokenFile === undefined ? undefined : digest(readPem(metrics.tokenFile).trim());
    return () => {
      wanted = next;
    };
  };
  prepare(config)();
  return { isRight: (token) => wanted !== undefined && timingSafeEqual(wanted, digest(token)), prepare };
}
