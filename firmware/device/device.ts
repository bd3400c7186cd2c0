// The device: takes samples by plan, stores each once, reports it, alarms on the spot, and does as it is told. What it runs on is
// handed in by the board.
import { putU16, u16 } from "../store/bytes.ts";
import { LATCHED, SOUNDING, type Tell } from "./alarms.ts";
import { createClock } from "./clock.ts";
import {
  ACKNOWLEDGE_HELP,
  CLEAR_LATCHED_ALARM,
  createDownlinks,
  LOCATE,
  REBOOT,
  REPORT_NOW,
  RESEND_FROM,
  SEND_INFO,
  SET_OCCUPANCY,
} from "./downlinks.ts";
import {
  BATTERY_LOW,
  CLOCK_SYNCED,
  DOWNLINK_APPLIED,
  DOWNLINK_REFUSED,
  EVENT,
  FIRST_SINCE_BOOT,
  HELP,
  HELP_REQUESTED,
  LOCAL_ALARM,
  MAINS_RESTORED,
  OWN_POWER_LOW,
  putCodes,
  putHeader,
  REPORT,
  reportBytes,
  TAMPER,
  TAMPERED,
} from "./frames.ts";
import { createHistory } from "./history.ts";
import { createInfo } from "./info.ts";
import type { DeviceOptions, Probe } from "./options.ts";
import { nextSampleInS } from "./plan.ts";
import { createReporter, rankOf } from "./reporter.ts";
import { ACK_EVERY, ALARM_INTERVAL, putSettings, REPORT_INTERVAL, takeSettings } from "./settings.ts";
import { MARK_HELP, MARK_PLANNED, MARK_RESENDING, STATE_BOOT, STATE_MARKS, STATE_RESEND } from "./state.ts";
import { isAlive } from "./supervisor.ts";

/** Between two turns of one work. */
const TURN_MS = 1;
/** A driver that has not answered by then is unknown in this sample. */
const SAMPLE_MS_MAX = 9000;
const TICK_MS = 5000;
/** Events that a whole region has at once are spread over this on a slow link. */
const SPREAD_S = 120;
const REBOOT_MS = 3000;
const BLINK_MS = 500;
/** A downlink is refused with an event, but not more often than this. */
const REFUSAL_S = 10;
/** Below this share of its own supply the device says so. */
const SUPPLY_LOW = 0.2;

const RESET_SOFTWARE = 3;
const RESET_UPDATE = 5;

export interface Device {
  start(): void;
  /** The link has changed: frames can go, no longer, or another way. */
  linkChanged(): void;
  received(payload: Uint8Array, isChecked: boolean): void;
  /** Help of this kind is asked for at the point. */
  help(kind: number): void;
  /** The housing was opened, or is closed again. */
  tamper(isOpen: boolean): void;
}

export function createDevice(options: DeviceOptions): Device {
  const ring = options.ring;
  const state = ring.state;
  let settings = options.settings;
  const row = options.row;
  const uptime = options.uptime;
  const delay = options.delay;
  const link = options.link;
  const probes = options.probes;
  const report = new Uint8Array(reportBytes(row));
  const event = new Uint8Array(11);
  const codes = new Uint16Array(row.length);
  const before = new Uint16Array(row.length);
  const clock = createClock();
  let alarms = 0;
  /** Of the header: what a frame says of the device. */
  let flags = FIRST_SINCE_BOOT;
  let refusedS = -REFUSAL_S;
  let ignored = 0;
  /** Counts samples begun and finished; probes that have not answered. */
  let turn = 0;
  let judged = 0;
  let waiting = 0;
  let resetCause = 0;
  let lastWay = 0;
  let sampledS = 0;
  /** Codes and arguments of events that are not told yet. */
  const found: number[] = [];
  let forgetPlan = (): void => {};

  function stamp(out: Uint8Array, kind: number, sequence: number, isUptime: boolean): void {
    const offsetS = isUptime ? 0 : clock.offsetS();
    putHeader(out, kind, sequence, Math.floor(uptime() + offsetS), offsetS ? flags | CLOCK_SYNCED : flags);
  }

  const info = createInfo({
    ring: ring,
    uptime: uptime,
    delay: delay,
    stamp: stamp,
    settings: () => settings,
    crc32: options.crc32,
    resetCause: () => resetCause,
    board: options.board,
    sensors: options.sensors,
    memoryFreePct: options.memoryFreePct,
    faults: () => options.faults() + ignored,
  });

  const reporter = createReporter({
    ring: ring,
    link: link,
    flightsMax: options.flightsMax,
    history: (skip, late) =>
      createHistory({
        ring: ring,
        encoder: options.encoder,
        groupBits: options.groupBits,
        uptime: uptime,
        stamp: stamp,
        intervalS: () => settings[REPORT_INTERVAL] as number,
        skip: skip,
        event: late,
        thinning: options.thinning,
        isStill: isStill,
      }),
    ackEvery: () => settings[ACK_EVERY] as number,
    delay: delay,
    uptime: uptime,
    random: options.random,
    asks: () => !clock.offsetS(),
    heard: (time, ageS) => clock.heard(time, uptime(), ageS),
    info: info.open,
    infoStored: info.stored,
    isStill: isStill,
  });

  /** Own power is so low that a write could tear. */
  function isStill(): boolean {
    return options.ownSupply() < 0;
  }

  /** Writes the state down, as long as it can be. */
  function keep(): void {
    if (!isStill()) ring.save();
  }

  function tell(code: number, argument: number): void {
    if (isStill()) return;
    stamp(event, EVENT, ring.next(), false);
    event[8] = code;
    putU16(event, 9, argument);
    reporter.add(ring.append(event), rankOf(event), code <= MAINS_RESTORED ? spreadS() : 0);
  }

  function spreadS(): number {
    return link.isSlow() ? SPREAD_S * options.random() : 0;
  }

  /** A bit of the state, which outlives a restart. */
  function mark(bit: number, isSet: boolean): void {
    const was = state[STATE_MARKS] as number;
    state[STATE_MARKS] = isSet ? was | bit : was & ~bit;
    if (was !== state[STATE_MARKS]) keep();
  }

  function flag(bit: number, isSet: boolean): void {
    flags = isSet ? flags | bit : flags & ~bit;
  }

  function setAlarms(next: number): void {
    alarms = next;
    mark(LATCHED, (next & LATCHED) > 0);
    flag(LOCAL_ALARM, next > 0);
    show(0);
  }

  /** Lamp and buzzer: what stands, or so many halves of a blink that are left. */
  function show(halves: number): void {
    const bits = halves ? (halves & 1) * SOUNDING : alarms;
    options.lamp(bits > 0);
    options.buzzer((bits & SOUNDING) > 0);
    if (halves) delay(BLINK_MS, () => show(halves - 1));
  }

  const note: Tell = (code, argument) => found.push(code, argument);

  /** Every probe has answered, or it is too late. What follows is a turn each; another sample may begin between them. */
  function finish(mine: number): void {
    if (mine !== turn) return;
    turn++;
    sampledS = uptime();
    const isLow = options.ownSupply() < SUPPLY_LOW;
    if (isLow && !(flags & OWN_POWER_LOW)) tell(BATTERY_LOW, 3);
    flag(OWN_POWER_LOW, isLow);
    judged = turn;
    delay(TURN_MS, isStill() ? planSample : info.isDue() ? inform : judge);
  }

  /** Once a day info comes before the sample. */
  function inform(): void {
    info.make(spreadS());
    delay(TURN_MS, judge);
  }

  function judge(): void {
    if (judged !== turn) return;
    // Once for each sample, however many of them wait here.
    judged = -1;
    if (options.changes !== undefined && !(flags & FIRST_SINCE_BOOT)) options.changes(before, codes, note);
    before.set(codes);
    // The sample itself says that there is an alarm; what happened follows it.
    setAlarms(options.alarms(alarms, codes, settings, note));
    delay(TURN_MS, pack);
  }

  function pack(): void {
    putCodes(report, options.groupBits, row, before);
    delay(TURN_MS, record);
  }

  function record(): void {
    // The supply has become too low since: what happened waits for the next sample.
    if (isStill()) planSample();
    else {
      stamp(report, REPORT, ring.next(), false);
      flag(FIRST_SINCE_BOOT, false);
      reporter.add(ring.append(report), 0, 0);
      delay(TURN_MS, follow);
    }
  }

  /** Events, one a turn, and then the next sample: also an alarm that has come or gone says when it is due. */
  function follow(): void {
    if (found.length > 0) {
      tell(found.shift() as number, found.shift() as number);
      delay(TURN_MS, follow);
    } else planSample();
  }

  function sample(): void {
    turn++;
    const mine = turn;
    waiting = probes.length;
    for (let i = 0; i < row.length; i++) codes[i] = (1 << ((row[i] as number) & 15)) - 1;
    for (const probe of probes) {
      for (let j = probe.from; j < probe.from + probe.count; j++) codes[j] = (codes[j] as number) - 1;
    }
    delay(SAMPLE_MS_MAX, () => finish(mine));
    if (waiting > 0) delay(TURN_MS, () => ask(0, mine));
  }

  /** Asks the probes, one a turn. */
  function ask(at: number, mine: number): void {
    if (mine !== turn) return;
    const probe = probes[at] as Probe;
    probe.start((got) => {
      if (mine !== turn) return;
      codes.set(got, probe.from);
      waiting--;
      if (!waiting) finish(mine);
    });
    if (at + 1 < probes.length) delay(TURN_MS, () => ask(at + 1, mine));
  }

  function planSample(): void {
    const usualS = settings[REPORT_INTERVAL] as number;
    const alarmS = settings[ALARM_INTERVAL] as number;
    const everyS = alarms && alarmS ? Math.min(alarmS, usualS) : usualS;
    forgetPlan();
    forgetPlan = delay(nextSampleInS(uptime() + clock.offsetS(), everyS, options.phase) * 1000, sample);
  }

  function tick(): void {
    delay(TICK_MS, tick);
    if ((state[STATE_MARKS] as number) & MARK_RESENDING && reporter.isIdle()) mark(MARK_RESENDING, false);
    reporter.pump();
    if (isAlive(sampledS, settings[REPORT_INTERVAL] as number, uptime())) options.kick();
  }

  function obey(command: number, argument: number): boolean {
    if (command === SEND_INFO) info.make(0);
    else if (command === REPORT_NOW) sample();
    else if (command === LOCATE) show(argument * 2);
    else if (command === REBOOT) {
      mark(MARK_PLANNED, true);
      delay(REBOOT_MS, options.reboot);
    } else if (command === RESEND_FROM) {
      putU16(state, STATE_RESEND, argument);
      // Also where one is not over: it is another sequence.
      state[STATE_MARKS] = (state[STATE_MARKS] as number) & ~MARK_RESENDING;
      mark(MARK_RESENDING, true);
      reporter.resend(argument);
    } else if (command === SET_OCCUPANCY) return options.recount(argument);
    else if (command === ACKNOWLEDGE_HELP) {
      flag(HELP_REQUESTED, false);
      mark(MARK_HELP, false);
      options.seen(true);
    } else if (command === CLEAR_LATCHED_ALARM) setAlarms(alarms & ~LATCHED);
    else return false;
    return true;
  }

  /** As it was before the restart. */
  function goOn(): void {
    const marks = state[STATE_MARKS] as number;
    if (ring.settings[0]) settings = takeSettings(ring.settings);
    flag(HELP_REQUESTED, (marks & MARK_HELP) > 0);
    setAlarms(marks & LATCHED);
    if (marks & MARK_RESENDING) reporter.resend(u16(state, STATE_RESEND));
    delay(TURN_MS, tick);
    delay(TURN_MS, sample);
  }

  /** Writes down what it works with, as soon as it can. */
  function keepSettings(): void {
    putSettings(ring.settings, settings);
    if (isStill()) delay(TICK_MS, keepSettings);
    else ring.saveSettings();
  }

  const take = createDownlinks({
    state: state,
    save: keep,
    isStill: isStill,
    delay: delay,
    open: options.open,
    ack: reporter.acknowledge,
    config: (frame) => {
      const next = settings.slice(0);
      for (let at = 6; at < frame.length; at += 3) next[frame[at] as number] = u16(frame, at + 1);
      if (next.join() === settings.join()) return;
      settings = next;
      delay(TURN_MS, keepSettings);
      delay(TURN_MS, planSample);
      // It says what the device now works with.
      delay(TURN_MS, () => info.make(0));
    },
    command: obey,
    answer: (isDone, counter) => {
      if (!isDone) {
        if (uptime() - refusedS < REFUSAL_S) return;
        refusedS = uptime();
      }
      // Of its own: what follows a sample would plan the next one anew.
      delay(TURN_MS, () => tell(isDone ? DOWNLINK_APPLIED : DOWNLINK_REFUSED, counter));
    },
    ignored: () => ignored++,
  });

  return {
    start: () => {
      const marks = state[STATE_MARKS] as number;
      resetCause = options.isUpdated ? RESET_UPDATE : marks & MARK_PLANNED ? RESET_SOFTWARE : 0;
      state[STATE_MARKS] = marks & ~MARK_PLANNED;
      putU16(state, STATE_BOOT, u16(state, STATE_BOOT) + 1);
      keep();
      delay(TURN_MS, goOn);
    },
    linkChanged: () => {
      let way = link.isSlow() ? 2 : 0;
      if (link.isUp()) way++;
      if (way !== lastWay) reporter.reset();
      lastWay = way;
      reporter.pump();
    },
    received: (payload, isChecked) => {
      // Nothing is taken that could not be written down.
      if (!isStill()) take(payload, isChecked);
    },
    help: (kind) => {
      flag(HELP_REQUESTED, true);
      mark(MARK_HELP, true);
      options.seen(false);
      tell(HELP, kind);
    },
    tamper: (isOpen) => {
      flag(TAMPER, isOpen);
      if (isOpen) tell(TAMPERED, 0);
    },
  };
}
