// The data dictionary: every measurement that leaves the gateway, with fields, units and meaning. Made from the field tables
// of the protocol; lines, CSV and the documentation are written from it.
import { EVENTS, type Field, GROUPS, INFO_FIELDS, PHASE, PHASES, REASONS, SUPPLY_NAMES } from "../../protocol/index.ts";

/** Types are for good: a field that was written once as a float is a float for ever. */
export type FieldType = "float" | "string";

export interface DictionaryField {
  readonly name: string;
  readonly type: FieldType;
  /** UCUM code; empty for what has none. */
  readonly unit: string;
  readonly meaning: string;
}

export interface Measurement {
  readonly name: string;
  readonly meaning: string;
  readonly fields: readonly DictionaryField[];
}

/** Bounded: as many series as there are devices, times two links, and one a point. */
export const TAGS = [
  { name: "device", meaning: "deviceId; `unknown` for a row that is damaged; an entry has none" },
  { name: "link", meaning: "`mqtt`, `lorawan`, or `manual` for an entry" },
  {
    name: "point",
    meaning: "pointId at which the device stood then by the registry, or of the entry; `unknown` when it is in none",
  },
] as const;

export const TIME_QUALITIES = { synced: 0, estimated: 1, suspect: 2 } as const;

const COMMON: readonly DictionaryField[] = [
  { name: "row", type: "float", unit: "", meaning: "id of the row in the journal: its order of arrival" },
  { name: "sequence", type: "float", unit: "", meaning: "number of the record on its device, 16 bits" },
  { name: "quality", type: "float", unit: "", meaning: "of the time: 0 synced, 1 estimated, 2 suspect" },
  { name: "delay_s", type: "float", unit: "s", meaning: "from the sample to its receipt" },
];

/** Unit and meaning by the name of a field of the protocol. A supply's score is under `supplies`. */
const MEANINGS: Readonly<Record<string, readonly [unit: string, meaning: string]>> = {
  phase: ["", "what the point is doing"],
  fuelLevelPct: ["%", "fuel in the tank of the generator"],
  generator: ["", "state of the generator"],
  mains: ["", "mains supply"],
  loadKw: ["kW", "electrical load of the point"],
  starterBatteryV: ["V", "starter battery of the generator"],
  batteryV: ["V", "battery of the point"],
  batteryA: ["A", "battery of the point: charging above zero, discharging below"],
  stateOfChargePct: ["%", "charge of the battery of the point"],
  occupancy: ["{person}", "people in the point now"],
  entries: ["{person}", "people who came in since the counter began; starts again at zero after 16375"],
  temperatureC: ["Cel", "temperature inside"],
  supplies: ["", "score of a supply, 0 (none) to 5 (ample)"],
  configHash: ["", "CRC-32 of the configuration on the device"],
  bootCount: ["", "starts of the device"],
  resetCause: ["", "why it started"],
  reportIntervalS: ["s", "time between its reports"],
  board: ["", "code of the board"],
  sensors: ["", "bit set of its sensors"],
  storageUsedPct: ["%", "of its storage in use"],
  memoryFreePct: ["%", "of its memory free"],
  faultCount: ["", "faults of its program since it started"],
  firmwareVersion: ["", "version of its firmware"],
};

function words(list: readonly string[]): string {
  return list
    .filter((word) => word !== "")
    .map((word) => `\`${word}\``)
    .join(", ");
}

/** A quantity is a float, and beside it the reason while there is no number; a word stands alone. */
function fieldsOf(field: Field, prefix: string): DictionaryField[] {
  const [unit, meaning] = MEANINGS[prefix === "" ? field.name : prefix] ?? [];
  if (unit === undefined || meaning === undefined) throw new Error(`the dictionary does not know ${field.name}`);
  const name = prefix === "" ? field.name : `${prefix}_${field.name}`;
  const beside = REASONS.slice(0, field.reasons);
  const list = words("words" in field ? [...field.words, ...beside] : beside);
  const word: DictionaryField = {
    name: `${name}_word`,
    type: "string",
    unit: "",
    meaning: "words" in field ? `${meaning}: ${list}` : `why ${name} has no number: ${list}`,
  };
  if ("words" in field) return [word];
  const text = prefix === "" ? meaning : `${meaning}: ${field.name}`;
  const number: DictionaryField = { name, type: "float", unit, meaning: text };
  return field.reasons > 0 ? [number, word] : [number];
}

const REPORT_FIELDS = [
  ...fieldsOf(PHASE, ""),
  ...GROUPS.flatMap(({ name, fields }) => fields.flatMap((field) => fieldsOf(field, name === "supplies" ? name : ""))),
];

const FIRMWARE_VERSION: DictionaryField = {
  name: "firmwareVersion_word",
  type: "string",
  unit: "",
  meaning: "version of its firmware: major.minor.patch",
};

const word = (name: string, meaning: string): DictionaryField => {
  return { name: `${name}_word`, type: "string", unit: "", meaning };
};
const figure = (name: string, unit: string, meaning: string): DictionaryField => {
  return { name, type: "float", unit, meaning };
};

/** Who told it and what was written in free words stay in the gateway. */
const ENTRY_FIELDS: readonly DictionaryField[] = [
  word("entry", "entryId: the same whenever it is sent again"),
  word("kind", "`phase`, `count`, `dip`, `delivery`, `no-delivery`, `power`, `supplies`, `note`"),
  word("via", "how it was learned: `voice`, `runner`, `visit`, `screen`"),
  word("phase", `what the point is doing: ${words(PHASES)}`),
  figure("people", "{person}", "people counted by hand"),
  figure("mm", "mm", "what the dip-stick shows"),
  figure("litres", "L", "by the dip-stick, or delivered"),
  word("delivery", "deliveryId of the delivery that is confirmed or denied"),
  word("mains", "`present`, `lost`"),
  word("generator", "`none`, `stopped`, `running`, `failed`"),
  figure("loadKw", "kW", "electrical load of the point"),
  figure("stateOfChargePct", "%", "charge of the battery of the point"),
  ...SUPPLY_NAMES.map((name) => figure(`supplies_${name}`, "", `score of a supply, 0 (none) to 5 (ample): ${name}`)),
];

export const MEASUREMENTS: readonly Measurement[] = [
  { name: "report", meaning: "one sample of a point", fields: [...COMMON, ...REPORT_FIELDS] },
  {
    name: "event",
    meaning: "something that a device says has happened",
    fields: [
      ...COMMON,
      { name: "event_word", type: "string", unit: "", meaning: `what: ${words(EVENTS)}` },
      { name: "argument", type: "float", unit: "", meaning: "by event, as in the protocol" },
    ],
  },
  {
    name: "info",
    meaning: "a device about itself",
    fields: [...COMMON, FIRMWARE_VERSION, ...INFO_FIELDS.flatMap((field) => fieldsOf(field, ""))],
  },
  {
    name: "backlog",
    meaning: "a frame of many samples; they are rows and reports of their own",
    fields: [
      ...COMMON,
      { name: "samples", type: "float", unit: "", meaning: "samples in the frame" },
      { name: "thinned", type: "float", unit: "", meaning: "1 when the device left samples out of it" },
    ],
  },
  { name: "entry", meaning: "something that a person told of a point", fields: [...COMMON, ...ENTRY_FIELDS] },
  {
    name: "undecoded",
    meaning: "a row that cannot be read: a newer version of the protocol, or damaged",
    fields: [...COMMON, { name: "bytes", type: "float", unit: "By", meaning: "length of the frame" }],
  },
];

export function measurementOf(name: string): Measurement {
  const found = MEASUREMENTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no measurement ${name}`);
  return found;
}

/** The dictionary as Markdown: docs/data-dictionary.md from its first table on. */
export function dictionaryMarkdown(): string {
  const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const table = (heads: readonly string[], rows: readonly string[]) => [
    row(...heads),
    row(...heads.map(() => "---")),
    ...rows,
  ];
  const tags = table(
    ["tag", "meaning"],
    TAGS.map(({ name, meaning }) => row(`\`${name}\``, meaning)),
  );
  const measurements = MEASUREMENTS.flatMap(({ name, meaning, fields }) => [
    "",
    `## ${name}`,
    `${meaning[0]?.toUpperCase()}${meaning.slice(1)}.`,
    "",
    ...table(
      ["field", "type", "unit (UCUM)", "meaning"],
      fields.map((field) => row(`\`${field.name}\``, field.type, field.unit, field.meaning)),
    ),
  ]);
  return `${["## Tags", "", ...tags, ...measurements].join("\n")}\n`;
}
