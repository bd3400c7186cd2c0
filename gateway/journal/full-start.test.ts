// A gateway that starts on a full disk: what was kept back is room enough, and nobody is told of another gateway.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kill, start, WRITER } from "../../tests/fault/record/processes.ts";
import { createSmallDisk } from "../../tests/fault/record/small-disk.ts";
import { checkedFrame, waitFor } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { openJournal } from "./journal.ts";
import { RESERVE_FILE } from "./space.ts";

const RESERVE_MB = 16;

test.for(["in good order", "by a kill"])(
  "ended %s it starts with what it kept back, and goes on storing",
  async (end, { skip }) => {
    const disk = createSmallDisk();
    try {
      const { dir } = disk;
      if (disk.way !== "filesystem") skip("a small file system cannot be mounted here");
      const options = { dir, clock: systemClock, reserveMb: RESERVE_MB, lowWaterMb: 8 };
      const reserve = `${dir}/${RESERVE_FILE}`;
      // It is made step by step, when there is nothing else to do.
      mkdirSync(dir, { recursive: true });
      writeFileSync(reserve, randomBytes(RESERVE_MB * 1024 * 1024));
      if (end === "by a kill") {
        const words = ["--dir", dir, "--acks", join(dir, "acks"), "--from", "0", "--count", "1000000", "--seed", "1"];
        const writer = await start(WRITER, words);
        await waitFor("what is stored", () => (statSync(join(dir, "acks"), { throwIfNoEntry: false })?.size ?? 0) > 0);
        await kill(writer);
      } else {
        const first = await openJournal(options);
        await first.append(checkedFrame({ sequence: 1 }));
        disk.fill();
        await expect(openJournal(options)).rejects.toMatchObject({ code: "DATA_IN_USE" });
        expect(existsSync(reserve)).toBe(true);
        await first.close();
      }
      disk.fill();
      const second = await openJournal(options);
      expect(existsSync(reserve)).toBe(false);
      expect(await second.append(checkedFrame({ deviceId: "alm-01-d2" }))).toMatchObject({ outcome: "stored" });
      await second.close();
    } finally {
      disk.remove();
    }
  },
);
