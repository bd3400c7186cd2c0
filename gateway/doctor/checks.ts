// The judgement, one function a matter: what is well, what will go wrong, what is wrong, and the command that mends it. Pure.
import { CONCEPT_2026 } from "../domain/profile.ts";
import { lowWaterBytes } from "../domain/self.ts";
import { checkCopy } from "./copy-checks.ts";
import type { CertificateFacts, DoctorFacts, MachineFacts } from "./facts.ts";
import { checkHistory, checkJournal } from "./journal-checks.ts";
import { giveTo, mendUnreadable } from "./mends.ts";

export interface Finding {
  readonly check: string;
  readonly level: "ok" | "warning" | "fault";
  readonly what: string;
  /** A command, or what to do where there is none. */
  readonly mend?: string;
}

const DAY_MS = 86_400_000;
const CERTIFICATE_WARN_DAYS = 30;
const SQLITE_MIN = [3, 51, 3] as const;
const PORT_MQTTS = 8883;
/** Ids that one line names. */
const NAMED_MAX = 5;

export function judge(facts: DoctorFacts): Finding[] {
  return [
    checkNode(facts),
    checkConfiguration(facts),
    ...checkFolder(facts),
    checkDisk(facts),
    ...checkJournal(facts.journal, facts.folder.dir),
    ...checkHistory(facts),
    ...checkCopy(facts),
    ...checkRegistry(facts),
    checkPeople(facts),
    ...facts.certificates.map((one) => checkCertificate(one, facts.nowMs)),
    ...checkListeners(facts),
    ...checkTargets(facts),
    ...checkNotify(facts),
    checkClock(facts),
    ...checkUps(facts),
    ...checkUnit(facts),
  ];
}

/** Without a configuration: a judgement of the defaults would be that of another machine. */
export function judgeMachine(facts: MachineFacts): Finding[] {
  const what = "could not be looked at: the configuration says where it is";
  const rest: Finding = {
    check: "the rest",
    level: "warning",
    what,
    mend: "mend the configuration, then: waakvlam doctor",
  };
  return [checkNode(facts), checkConfiguration(facts), checkClock(facts), ...checkUnit(facts), rest];
}

export function ok(check: string, what: string): Finding {
  return { check, level: "ok", what };
}

export function checkNode({ node }: MachineFacts): Finding {
  const [major = 0] = node.version.replace(/^v/, "").split(".").map(Number);
  const mend = "npm ci && node_modules/.bin/node gateway/main.ts doctor";
  if (major < 24) {
    return { check: "node", level: "fault", what: `Node ${node.version} is too old: 24 is needed`, mend };
  }
  const found = node.sqlite.split(".").map(Number);
  const first = SQLITE_MIN.findIndex((want, i) => (found[i] ?? 0) !== want);
  const isOld = first >= 0 && (found[first] ?? 0) < (SQLITE_MIN[first] as number);
  if (isOld) {
    const what = `its SQLite ${node.sqlite} is older than ${SQLITE_MIN.join(".")} and can damage the journal`;
    return { check: "node", level: "fault", what, mend };
  }
  return ok("node", `${node.version}, SQLite ${node.sqlite}`);
}

export function checkConfiguration({ config }: MachineFacts): Finding {
  const name = config.path ?? "the defaults";
  if (config.problems.length === 0) return ok("configuration", name);
  const mend = config.path === undefined ? "write a waakvlam.toml" : `waakvlam config check ${config.path}`;
  return { check: "configuration", level: "fault", what: `${name}: ${config.problems.join("; ")}`, mend };
}

export function checkFolder({ folder, account }: DoctorFacts): Finding[] {
  const { dir, exists, writable, mode = 0, secrets } = folder;
  const check = "data folder";
  if (!exists) {
    const what = `${dir} is not there yet: the first start makes it`;
    return [{ check, level: "warning", what, mend: `waakvlam registry import FILE` }];
  }
  if (!writable) {
    const what = `${dir} cannot be written by ${account}`;
    return [{ check, level: "fault", what, mend: giveTo(account, dir, "-R ") }];
  }
  const open = secrets.filter((file) => (file.mode & 0o077) !== 0);
  const findings: Finding[] = open.map((file) => {
    const what = `${file.path} can be read by others (${octal(file.mode)})`;
    return { check: "secrets", level: "fault", what, mend: `chmod 600 ${file.path}` };
  });
  if ((mode & 0o007) !== 0) {
    const what = `${dir} is open to everybody on this machine (${octal(mode)})`;
    findings.push({ check, level: "warning", what, mend: `chmod 750 ${dir}` });
  }
  return findings.length > 0 ? findings : [ok(check, `${dir}, ${secrets.length} secret files closed`)];
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

export function checkDisk({ disk, folder }: DoctorFacts): Finding {
  if (disk === undefined) return { check: "disk", level: "warning", what: "its free space cannot be read" };
  const low = lowWaterBytes(disk, CONCEPT_2026.gateway);
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const what = `${gb(disk.freeBytes)} of ${gb(disk.sizeBytes)} free`;
  const mend = `du -xh --max-depth=1 ${folder.dir} / | sort -h | tail`;
  if (disk.freeBytes < low / 8) return { check: "disk", level: "fault", what: `${what}: nearly nothing is left`, mend };
  if (disk.freeBytes < low) {
    return { check: "disk", level: "warning", what: `${what}: below the lower bound of ${gb(low)}`, mend };
  }
  return ok("disk", what);
}

function named(ids: readonly string[]): string {
  const more = ids.length - NAMED_MAX;
  return `${ids.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

export function checkRegistry({ registry, account }: DoctorFacts): Finding[] {
  const mend = "waakvlam registry import FILE";
  if (registry.kind === "unreadable") {
    // Where the keys are gone as well, this makes new ones, which devices then have to be given.
    const anew = mendUnreadable(registry, account, `${mend} --credentials OUT`);
    return [{ check: "registry", level: "fault", what: registry.reason, mend: anew }];
  }
  const { points, devices, keyed } = registry;
  if (points === 0) return [{ check: "registry", level: "warning", what: "there are no points in it", mend }];
  const without = devices.filter((id) => !keyed.includes(id));
  const beyond = keyed.filter((id) => !devices.includes(id));
  const findings: Finding[] = [];
  if (without.length > 0) {
    const what = `devices without a key cannot connect: ${named(without)}`;
    findings.push({
      check: "keys",
      level: "fault",
      what,
      mend: `waakvlam registry import FILE --reissue ${without[0]} --credentials OUT`,
    });
  }
  if (beyond.length > 0) {
    const what = `keys of devices that are not in the registry: ${named(beyond)}`;
    findings.push({
      check: "keys",
      level: "warning",
      what,
      mend: "put them back in the registry file, or leave them: they open nothing",
    });
  }
  return [ok("registry", `${points} points, ${devices.length} devices`), ...findings];
}

export function checkPeople({ people, account }: DoctorFacts): Finding {
  const mend = "waakvlam people add NAME --role admin --generate";
  if ("reason" in people) {
    return { check: "people", level: "fault", what: people.reason, mend: mendUnreadable(people, account, mend) };
  }
  if (people.total === 0) return { check: "people", level: "fault", what: "nobody may sign in", mend };
  if (people.admins === 0) return { check: "people", level: "warning", what: "there is no admin", mend };
  return ok("people", `${people.total}, of whom ${people.admins} admin`);
}

export function checkCertificate(certificate: CertificateFacts, nowMs: number): Finding {
  const { key, path, fromMs, untilMs, names, host } = certificate;
  const check = `certificate ${key}`;
  const until = new Date(untilMs).toISOString().slice(0, 10);
  const mend = `waakvlam tls create --host ${names[0] ?? "NAME"}; systemctl reload waakvlam`;
  if (nowMs < fromMs) {
    return { check, level: "fault", what: `${path} is not valid yet`, mend: "timedatectl (the clock may be wrong)" };
  }
  if (nowMs >= untilMs) return { check, level: "fault", what: `${path} has expired on ${until}`, mend };
  if (host !== undefined && !names.includes(host)) {
    const what = `${path} names ${names.join(", ")} and not ${host}`;
    return {
      check,
      level: "warning",
      what,
      mend: `waakvlam tls create --host ${[host, ...names].join(",")}; systemctl reload waakvlam`,
    };
  }
  const days = Math.floor((untilMs - nowMs) / DAY_MS);
  if (days < CERTIFICATE_WARN_DAYS) {
    return { check, level: "warning", what: `${path} expires in ${days} days, on ${until}`, mend };
  }
  return ok(check, `valid until ${until} for ${names.join(", ")}`);
}

export function checkListeners({ http, mqtt }: DoctorFacts): Finding[] {
  const at = `${http.host}:${http.port}`;
  const find = (port: number) => `ss -ltnp 'sport = :${port}'`;
  if (http.answer === "gateway") {
    const ready: Finding =
      http.notReady.length === 0
        ? ok("gateway", `runs and is ready at ${at}`)
        : {
            check: "gateway",
            level: "fault",
            what: `runs, but: ${http.notReady.join("; ")}`,
            mend: "journalctl -u waakvlam -o cat -n 50",
          };
    if (mqtt.answers) return [ready, ok("devices", `can connect at ${mqtt.host}:${mqtt.port}`)];
    const what = `the gateway runs, and nothing listens at ${mqtt.host}:${mqtt.port}`;
    return [ready, { check: "devices", level: "fault", what, mend: "systemctl restart waakvlam" }];
  }
  const taken: Finding[] = [];
  const fault = (check: string, where: string, port: number) =>
    taken.push({ check, level: "fault", what: `another program listens at ${where}`, mend: find(port) });
  if (http.answer === "other") fault("people", at, http.port);
  if (mqtt.answers) fault("devices", `${mqtt.host}:${mqtt.port}`, mqtt.port);
  if (taken.length > 0) return taken;
  return [
    {
      check: "gateway",
      level: "warning",
      what: `does not run (nothing at ${at})`,
      mend: "systemctl start waakvlam, or waakvlam start",
    },
  ];
}

export function checkTargets({ targets }: DoctorFacts): Finding[] {
  return targets.map(({ key, url, failure }) => {
    if (failure === undefined) return ok(`target ${key}`, url);
    const what = `${url} cannot be reached (${failure}); rows wait for it`;
    const { protocol, hostname, port } = new URL(url);
    // What curl is built with seldom speaks it.
    const mend =
      protocol === "mqtts:"
        ? `openssl s_client -connect ${hostname}:${port || PORT_MQTTS} </dev/null`
        : `curl -v ${url}`;
    return { check: `target ${key}`, level: "warning", what, mend };
  });
}

export function checkNotify({ notify }: DoctorFacts): Finding[] {
  if (notify === undefined) return [];
  const { file, problems, recipients, ways } = notify;
  const check = "recipients";
  if (problems.length > 0) {
    const mend = `edit ${file}, then: waakvlam doctor`;
    return [{ check, level: "fault", what: `${file}: ${problems.slice(0, 3).join("; ")}`, mend }];
  }
  const found: Finding[] =
    recipients === 0
      ? [{ check, level: "warning", what: `${file} names nobody`, mend: `add [[recipients]] to ${file}` }]
      : [ok(check, `${recipients} in ${file}`)];
  for (const { name, failure, waits } of ways) {
    if (waits !== undefined) {
      const mend = "systemctl start waakvlam, then: waakvlam doctor";
      found.push({ check: `notify ${name}`, level: "warning", what: waits, mend });
    } else if (failure === undefined) found.push(ok(`notify ${name}`, "it would work now"));
    else {
      const mend = name === "sms" ? "ls -l /dev/serial/by-id; check antenna, SIM and sms.pinFile" : `check [smtp]`;
      found.push({ check: `notify ${name}`, level: "fault", what: `messages do not get out (${failure})`, mend });
    }
  }
  return found;
}

export function checkClock({ clock, nowMs }: MachineFacts): Finding {
  const now = new Date(nowMs).toISOString().slice(0, 19);
  if (!clock.plausible) {
    return {
      check: "clock",
      level: "fault",
      what: `it says ${now}Z`,
      // Refused while a time source is followed.
      mend: "timedatectl set-ntp false && timedatectl set-time 'YYYY-MM-DD HH:MM:SS'",
    };
  }
  if (clock.synchronised === false) {
    const what = `${now}Z, not synchronised with a time source`;
    return {
      check: "clock",
      level: "warning",
      what,
      mend: "timedatectl set-ntp true, or compare it with another clock",
    };
  }
  return ok(
    "clock",
    `${now}Z${clock.synchronised === true ? ", synchronised" : "; whether it is synchronised is not known"}`,
  );
}

export function checkUps({ ups }: DoctorFacts): Finding[] {
  if (ups === undefined) {
    return [ok("ups", "none configured ([ups] in the configuration)")];
  }
  if (ups.kind === "unreachable") {
    const what = `${ups.name}: ${ups.reason}`;
    return [{ check: "ups", level: "fault", what, mend: `systemctl status nut-server nut-driver@${ups.name}` }];
  }
  const figures = [
    ...(ups.chargePct === undefined ? [] : [`${Math.round(ups.chargePct)} %`]),
    ...(ups.runtimeS === undefined ? [] : [`${Math.round(ups.runtimeS / 60)} min left`]),
  ].join(", ");
  const tail = figures === "" ? "" : `, ${figures}`;
  if (ups.lowBattery)
    return [{ check: "ups", level: "fault", what: `battery nearly empty${tail}`, mend: "connect another supply" }];
  if (ups.onBattery) return [{ check: "ups", level: "warning", what: `on battery${tail}`, mend: "restore the supply" }];
  return [ok("ups", `${ups.name} on mains${tail}`)];
}

export function checkUnit({ unit }: MachineFacts): Finding[] {
  if (unit === undefined) return [];
  if (unit.active !== "active") {
    const what = `waakvlam.service is ${unit.active}`;
    return [
      { check: "service", level: "fault", what, mend: "systemctl start waakvlam; journalctl -u waakvlam -o cat -n 50" },
    ];
  }
  if (unit.enabled !== "enabled") {
    const what = `waakvlam.service is ${unit.enabled}: it does not start with the machine`;
    return [{ check: "service", level: "warning", what, mend: "systemctl enable waakvlam" }];
  }
  return [ok("service", `active, ${unit.restarts} restarts`)];
}
