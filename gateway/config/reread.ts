// The configuration once more, while the gateway runs by it: from the same file, and never by mistake from none.
import type { GatewayConfig } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { readConfigFile } from "./config.ts";
import { configDifference } from "./difference.ts";

/**
 * Gives what reads it. A gateway that started without a file takes up the one that `find` gives, and then stays with that.
 * Throws FILE_UNREADABLE, also where the file is gone, and CONFIG_INVALID.
 */
export function createReread(
  start: string | undefined,
  find: () => string | undefined,
): (inForce: GatewayConfig) => GatewayConfig {
  let path = start;
  return (inForce) => {
    const at = path ?? find();
    if (at === undefined) return inForce;
    const { config, isEmpty } = readConfigFile(at);
    // An editor that was met between emptying a file and writing it leaves such a one.
    if (isEmpty && configDifference(inForce, config).length > 0) {
      const problem = "no key stands in it, and in the one in force some do: was it read while it was saved?";
      throw new GatewayError("CONFIG_INVALID", { path: at, problems: [problem] });
    }
    path = at;
    return config;
  };
}
