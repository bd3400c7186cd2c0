// Receivers that refuse, break off, hang and lose their answers, and a gateway that is killed again and again meanwhile. Goal:
// each receiver has every row of the journal, counts it once, and what it can never take is a dead letter, no more and no less.
// Method: real processes and sockets, faults and kills drawn from the seed; then all is healed, and the receivers are asked.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createRandom, type Random } from "../../firmware/simulator/random.ts";
import { FIRST_CYCLE_BASE } from "../../gateway/domain/sequence.ts";
import { wholeFlag } from "../command.ts";
import { waitFor } from "../fixtures.ts";
import { createDevices, drive, type LoadDevice } from "./kill9-load.ts";
import { isShortForm, type Proof, type ProofContext, untilLost } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { kill, type Started, start, warmUp } from "./record/processes.ts";
import { isPoison, type Receivers, startReceivers } from "./sinks-targets.ts";

/** What a broken variant does wrong, a kill may not hit. */
const CONTROL_RUNS_MAX = 4;
const GATEWAY = fileURLToPath(new URL("./sinks-gateway.ts", import.meta.url));
const DRAIN_MS = 300_000;
const FRAMES_A_CYCLE = 5;
const LIFE_MS = [800, 3_000] as const;
const KILLS_SHORT = 5;
/** The control meets a failure in one of so many lives. */
const KILLS_CONTROL = 4;

function startGateway({ config, early }: Campaign): Promise<Started> {
  return start(GATEWAY, ["--config", config, ...(early ? ["--early"] : [])]);
}

interface Campaign {
  readonly receivers: Receivers;
  readonly devices: readonly LoadDevice[];
  readonly config: string;
  readonly data: string;
  readonly early: boolean;
}

async function live(campaign: Campaign, random: Random): Promise<void> {
  const gateway = await startGateway(campaign);
  const port = Number(gateway.line);
  const startS = Math.floor(performance.timeOrigin / 1000);
  for (const device of campaign.devices) device.end = (device.end ?? 0) + FRAMES_A_CYCLE;
  const loads = campaign.devices.map((device) => drive(device, port, startS));
  try {
    await new Promise((resolve) => setTimeout(resolve, random.between(...LIFE_MS)));
  } finally {
    await kill(gateway);
    for (const load of loads) load.stop();
  }
}

/** One last life without faults, until every cursor stands at the newest row. */
async function drain(campaign: Campaign): Promise<void> {
  campaign.receivers.heal();
  const gateway = await startGateway(campaign);
  const db = new DatabaseSync(`${campaign.data}/journal.db`, { readOnly: true });
  const sql = "SELECT count(*) AS n FROM cursor WHERE name LIKE 'sink:%' AND id >= (SELECT max(id) FROM journal)";
  const isDone = () => db.prepare(sql).get()?.["n"] === campaign.receivers.all.length;
  try {
    await waitFor("the sinks to catch up", isDone, DRAIN_MS);
  } finally {
    db.close();
    await kill(gateway);
  }
}

interface Count {
  readonly rows: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly sinks: Readonly<Record<string, { held: number; dead: number; lost: number; twice: number }>>;
}

async function count({ receivers, devices, data }: Campaign): Promise<Count> {
  const db = new DatabaseSync(`${data}/journal.db`, { readOnly: true });
  const stored = db.prepare("SELECT id, device_id, sequence FROM journal JOIN device USING(device) ORDER BY id").all();
  const letters = db.prepare("SELECT id FROM dead_letter WHERE sink = ?");
  const known = new Set(stored.map((row) => `${row["device_id"]} ${Number(row["sequence"]) - FIRST_CYCLE_BASE}`));
  let lost = 0;
  let twice = stored.length - known.size;
  let acknowledged = 0;
  for (const { deviceId, acknowledged: told } of devices) {
    acknowledged += told.size;
    for (const sequence of told) if (!known.has(`${deviceId} ${sequence}`)) lost++;
  }
  const sinks: Record<string, { held: number; dead: number; lost: number; twice: number }> = {};
  for (const { sink, takesPoison, held } of receivers.all) {
    const has = await held();
    const dead = new Set(letters.all(sink).map((row) => Number(row["id"])));
    const mayBeDead = (row: number) => !takesPoison && isPoison(row);
    // A dead letter that is no poison is a row that the receiver would have taken.
    const missing = stored.filter(({ id }) => {
      const row = Number(id);
      return mayBeDead(row) ? !dead.has(row) : dead.has(row) || !has.rows.has(row);
    });
    sinks[sink] = { held: has.rows.size, dead: dead.size, lost: missing.length, twice: has.twice };
    lost += missing.length;
    twice += has.twice;
  }
  db.close();
  return { rows: stored.length, acknowledged, lost, twice, sinks };
}

async function run(context: ProofContext, kills: number, early: boolean) {
  const folder = proofFolder();
  const data = join(folder.path, "data");
  mkdirSync(data);
  const random = createRandom(context.seed);
  const receivers = await startReceivers(folder.path, createRandom(context.seed + 1));
  const campaign = { receivers, devices: createDevices(), config: receivers.configure(data), data, early };
  try {
    await warmUp(GATEWAY, ["--config", campaign.config]);
    for (let done = 1; done <= kills; done++) {
      await live(campaign, random);
      if (done % 10 === 0) context.log(`${early ? "control" : "sinks"}: ${done} of ${kills} kills`);
    }
    await drain(campaign);
    const faults = Object.fromEntries(receivers.all.map(({ sink, target }) => [sink, target.counts.faults]));
    const arrivals = Object.fromEntries(receivers.all.map(({ sink, target }) => [sink, target.counts.arrivals]));
    return {
      ...(await count(campaign)),
      faults,
      arrivals,
      influxdb: receivers.isRealInflux ? "real" : "answers of 2.x",
    };
  } finally {
    await receivers.stop();
    folder.remove();
  }
}

export const proof: Proof = {
  name: "sinks",
  summary: "receivers that fail in every way, and kill −9 of the gateway: each has every row, counted once",
  flags: { kills: "how often it is killed (60; the release form is 1000)", form: `short: ${KILLS_SHORT} kills` },
  async run(context) {
    const kills = wholeFlag(context.flags, "kills", isShortForm(context.flags) ? KILLS_SHORT : 60);
    const real = await run(context, kills, false);
    const control = await untilLost(CONTROL_RUNS_MAX, (again) =>
      run({ ...context, seed: context.seed + again }, Math.min(KILLS_CONTROL, kills), true),
    );
    return {
      name: "sinks",
      seed: context.seed,
      ...real,
      kills,
      control: { name: "moves its cursor before it is answered", caught: control.lost > 0, lost: control.lost },
    };
  },
};
