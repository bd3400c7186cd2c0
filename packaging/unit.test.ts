import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const UNIT = readFileSync(new URL("./waakvlam.service", import.meta.url), "utf8");

/** The words of a setting, as systemd reads them: comments are none. */
function wordsOf(setting: string): readonly string[] {
  const line = UNIT.split("\n").find((one) => one.startsWith(`${setting}=`));
  return (line?.slice(setting.length + 1) ?? "").split(" ");
}

test("the service may open the sockets that it needs: also the one by which Node asks for this machine's addresses", () => {
  expect(wordsOf("RestrictAddressFamilies").toSorted()).toEqual(["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"]);
});
