// The outbox over its journal: what is kept, what a crash at any save leaves, the way through channels, and what it says of them.
import { describe, expect, test } from "vitest";
import type { Alert, ChannelType, NotifyPlan } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { EMAIL, openAlert, PLACES, planWith, recipient, SMS } from "../../tests/notify-fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { Outcome } from "../domain/notify/delivery.ts";
import { type Carriers, deliverBy, type Outgoing } from "./channel.ts";
import type { NotifyJournal } from "./keeping.ts";
import { openOutbox } from "./outbox.ts";

const DOWN: Outcome = { kind: "failed", reason: "no network: searching", isDown: true };
const GOOD: Outcome = { kind: "delivered", detail: "reference 1" };

/** Documents in memory; `failAt` breaks at that save and from then on, as a process that was killed. */
function createDisk() {
  const documents = new Map<string, Map<string, string>>();
  const it = {
    saves: 0,
    isStuck: false,
    /** It does what it is asked, and says that it did not. */
    isAnswerLost: false,
    failAt: Number.POSITIVE_INFINITY,
    acts: [] as string[],
    journal: {
      documents: async (kind) => [...(documents.get(kind) ?? [])].map(([key, json]) => ({ key, json })),
      save: async ({ put = [], remove = [], acts = [] }) => {
        it.saves++;
        if (it.isStuck) await new Promise(() => undefined);
        if (it.saves >= it.failAt) throw new Error("killed");
        for (const { kind, key, json } of put) {
          if (!documents.has(kind)) documents.set(kind, new Map());
          documents.get(kind)?.set(key, json);
        }
        for (const { kind, key } of remove) documents.get(kind)?.delete(key);
        it.acts.push(...acts.map((act) => `${act.actor} ${act.action} ${act.object}`));
        if (it.isAnswerLost) throw new Error("the answer is lost");
      },
    } satisfies NotifyJournal,
  };
  return it;
}

type Says = Partial<Record<ChannelType, (message: Outgoing) => Outcome>>;

async function start(
  options: { plan?: NotifyPlan; disk?: ReturnType<typeof createDisk>; says?: Says; alerts?: Alert[] } = {},
) {
  const { plan = planWith([recipient()]), disk = createDisk(), says = {}, alerts = [] } = options;
  const clock = virtualClock(NOON_MS);
  const sent: string[] = [];
  const carrierOf = (type: ChannelType) => ({
    deliver: async (message: Outgoing) => {
      sent.push(`${type} ${message.notice.noticeId}`);
      return (says[type] ?? (() => GOOD))(message);
    },
  });
  const carriers = Object.fromEntries(
    (["sms", "email", "mqtt", "audible"] as const).map((type) => [type, carrierOf(type)]),
  ) as Carriers;
  const now = { alerts };
  const events: string[] = [];
  const deps = { journal: disk.journal, clock, alerts: () => now.alerts, placeOf: PLACES, random: () => 0.5 };
  const outbox = await openOutbox({ ...deps, log: (event) => void events.push(event) }, { plan, carriers });
  await outbox.start();
  const newest = () => outbox.list(10).notices[0];
  return { outbox, clock, now, sent, disk, events, newest, says };
}

/** Its first turn waits for the disk too. */
async function startStuck(disk: ReturnType<typeof createDisk>) {
  const clock = virtualClock(NOON_MS);
  const sent: string[] = [];
  const now = { alerts: [] as Alert[] };
  const sms = {
    deliver: async ({ notice }: Outgoing) => {
      sent.push(`sms ${notice.noticeId}`);
      return GOOD;
    },
  };
  const deps = { journal: disk.journal, clock, alerts: () => now.alerts, placeOf: PLACES, random: () => 0.5 };
  const setup = { plan: planWith([recipient()]), carriers: { sms } };
  const outbox = await openOutbox({ ...deps, log: () => undefined }, setup);
  const started = outbox.start();
  await clock.advance(5_000);
  await started;
  return { outbox, clock, now, sent };
}

describe("the outbox", () => {
  test("sends by the first channel, once, and says so", async () => {
    const it = await start();
    it.now.alerts = [openAlert()];
    it.outbox.wake();
    await it.clock.advance(600_000);
    expect(it.sent).toEqual(["sms officier-power-alm-01-1-1-raised"]);
    expect(it.newest()).toMatchObject({ state: "delivered", attempts: [{ channel: "sms", outcome: "delivered" }] });
    await it.outbox.stop();
  });

  test("goes by the next channel where the first has no network, and tells of that", async () => {
    const it = await start({ says: { sms: () => DOWN } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    expect(it.sent.map((one) => one.split(" ")[0])).toEqual(["sms", "email"]);
    expect(it.newest()).toMatchObject({ state: "delivered" });
    expect(it.outbox.state().channels).toContainEqual({ channel: "sms", failing: "no network: searching" });
    expect(it.events.filter((one) => one.startsWith("a way"))).toHaveLength(1);
    await it.outbox.stop();
  });

  test("channels that confirm nothing are used, and the next one too", async () => {
    const channels = [{ type: "mqtt" as const }, { type: "audible" as const, deviceId: "alm-w1-d1" }, SMS];
    const handedOn = (): Outcome => ({ kind: "handed-on" });
    const it = await start({ plan: planWith([recipient({ channels })]), says: { mqtt: handedOn, audible: handedOn } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    expect(it.sent.map((one) => one.split(" ")[0])).toEqual(["mqtt", "audible", "sms"]);
    expect(it.newest()?.state).toBe("delivered");
    await it.outbox.stop();
  });

  test("with every way gone it tries again with growing pauses, until its time is over; that is told of", async () => {
    const it = await start({ says: { sms: () => DOWN, email: () => DOWN } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(60_000);
    const soon = it.sent.length;
    expect([soon > 2, it.newest()?.state]).toEqual([true, "waiting"]);
    await it.clock.advance(239 * 60_000);
    expect([it.newest()?.state, it.outbox.state().undelivered]).toEqual(["waiting", 0]);
    await it.clock.advance(2 * 60_000);
    expect([it.newest()?.state, it.outbox.state().undelivered]).toEqual(["expired", 1]);
    // 15 s doubling to 10 min, each at three quarters: about 40 rounds in 4 hours.
    expect(it.sent.length).toBeLessThan(100);
    await it.outbox.stop();
  });

  test("what every channel refuses for good is a dead letter at once", async () => {
    const refused = (): Outcome => ({ kind: "refused", reason: `550 <${EMAIL.address}> is unknown` });
    const it = await start({ says: { sms: refused, email: refused } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    expect(it.newest()).toMatchObject({ state: "failed", attempts: [{ outcome: "refused" }, { outcome: "refused" }] });
    // Viewers read notices: whose address it is they do not.
    expect(it.newest()?.attempts[1]?.detail).toBe("550 <…> is unknown");
    await it.outbox.stop();
  });

  test("nobody is called any more for what somebody has seen", async () => {
    const it = await start({ says: { sms: () => DOWN, email: () => DOWN } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    it.now.alerts = [openAlert({ state: "acknowledged" })];
    await it.clock.advance(2_000);
    const before = it.sent.length;
    await it.clock.advance(60_000);
    expect([it.newest()?.handled, it.outbox.state().undelivered, it.sent.length - before]).toEqual([true, 0, 0]);
    await it.outbox.stop();
  });

  test("killed at any save, it sends every notice at least once, under one id, and acknowledges nothing", async () => {
    const whole = createDisk();
    const it = await start({ disk: whole });
    it.now.alerts = [openAlert()];
    await it.clock.advance(20_000);
    await it.outbox.stop();
    expect(whole.saves).toBeGreaterThan(3);
    for (let failAt = 1; failAt <= whole.saves + 1; failAt++) {
      const disk = createDisk();
      disk.failAt = failAt;
      const first = await start({ disk });
      first.now.alerts = [openAlert()];
      await first.clock.advance(20_000);
      await first.outbox.stop();
      disk.failAt = Number.POSITIVE_INFINITY;
      const second = await start({ disk, alerts: [openAlert()] });
      await second.clock.advance(600_000);
      const all = [...first.sent, ...second.sent];
      expect(all.length, `killed at save ${failAt}`).toBeGreaterThan(0);
      expect(new Set(all), `killed at save ${failAt}`).toEqual(new Set(it.sent));
      expect(second.newest()?.state).toBe("delivered");
      expect(second.now.alerts[0]?.state).toBe("unacknowledged");
      await second.outbox.stop();
    }
  });

  test("while the disk takes nothing people are told all the same", async () => {
    const disk = createDisk();
    disk.failAt = 1;
    const it = await start({ disk });
    it.now.alerts = [openAlert({ alertId: "journal-gateway-0", ruleId: "journal-refusing" })];
    await it.clock.advance(10_000);
    expect(it.sent).toHaveLength(1);
    disk.failAt = Number.POSITIVE_INFINITY;
    await it.clock.advance(2_000);
    await it.outbox.stop();
    const after = await start({ disk });
    expect(after.newest()?.state).toBe("delivered");
    await after.outbox.stop();
  });

  test("nor does a disk that never answers hold up what people are told, or a mute", async () => {
    const disk = createDisk();
    disk.isStuck = true;
    const it = await startStuck(disk);
    it.now.alerts = [openAlert({ alertId: "journal-gateway-0", ruleId: "journal-refusing" })];
    await it.clock.advance(30_000);
    expect(it.sent).toEqual(["sms officier-journal-gateway-0-1-raised"]);
    const until = new Date(NOON_MS + 3_600_000).toISOString();
    const muting = expect(it.outbox.mute({ recipientId: "officier", until, reason: "xxx" }, "a")).rejects.toThrow(
      "journal",
    );
    await it.clock.advance(10_000);
    await muting;
  });

  test("a mute is an act on record, ends with the shift, and goes over a restart", async () => {
    const plan = planWith([recipient()], { handOvers: ["15:00"] });
    const it = await start({ plan });
    const until = new Date(NOON_MS + 8 * 3_600_000).toISOString();
    const mute = await it.outbox.mute({ recipientId: "officier", until, reason: "in overleg" }, "coordinator");
    expect(mute.until).toBe("2026-11-24T14:00:00.000Z");
    expect(it.disk.acts).toEqual(["coordinator notify-muted officier"]);
    await it.outbox.stop();
    const after = await start({ plan, disk: it.disk });
    after.now.alerts = [openAlert()];
    await after.clock.advance(60_000);
    expect([after.outbox.list(1).mutes.length, after.sent]).toEqual([1, []]);
    await after.outbox.unmute("officier", "coordinator");
    await after.clock.advance(10_000);
    expect(after.sent).toHaveLength(1);
    await expect(after.outbox.mute({ recipientId: "wie", until, reason: "xxx" }, "a")).rejects.toThrow(
      "nobody has this id",
    );
    const past = new Date(NOON_MS - 1).toISOString();
    await expect(after.outbox.mute({ recipientId: "officier", until: past, reason: "xxx" }, "a")).rejects.toThrow(
      "left out",
    );
    await after.outbox.stop();
  });

  test("a mute that could not be kept, as was said, is not in force after a restart: not when it was on disk all the same", async () => {
    const it = await start();
    const until = new Date(NOON_MS + 3_600_000).toISOString();
    it.disk.isAnswerLost = true;
    await expect(it.outbox.mute({ recipientId: "officier", until, reason: "in overleg" }, "a")).rejects.toThrow();
    it.disk.isAnswerLost = false;
    expect(it.outbox.list(1).mutes).toEqual([]);
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    await it.outbox.stop();
    const after = await start({ disk: it.disk });
    expect(after.outbox.list(1).mutes).toEqual([]);
    await after.outbox.stop();
  });

  test("other recipients are in force at once; a notice of who is gone is a dead letter", async () => {
    const it = await start({ says: { sms: () => DOWN, email: () => DOWN } });
    it.now.alerts = [openAlert()];
    await it.clock.advance(10_000);
    it.outbox.use({ plan: planWith([recipient({ recipientId: "ander", channels: [EMAIL] })]), carriers: {} });
    await it.clock.advance(2_000);
    expect(it.newest()).toMatchObject({ recipientId: "officier", state: "failed" });
    await it.outbox.stop();
  });

  test("a way that is not set up here is refused", async () => {
    const notice = { noticeId: "x" } as Outgoing["notice"];
    expect(await deliverBy({}, { notice, parts: [], language: "nl" }, SMS)).toMatchObject({ kind: "refused" });
  });
});
