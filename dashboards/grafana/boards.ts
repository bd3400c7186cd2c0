// The dashboards, in InfluxQL: it runs on InfluxDB 1.x, 2.x (with a DBRP mapping) and 3.x. Names are those of the data
// dictionary (docs/data-dictionary.md), always in double quotes; a test holds them against it and against InfluxDB itself.
import type { BoardPlan, PanelPlan } from "./panels.ts";

const WHERE = 'WHERE $timeFilter AND "point" =~ /^$point$/';
const EVERY_POINT = 'GROUP BY time($__interval), "point" fill(none)';
const EVERY_DEVICE = 'GROUP BY time($__interval), "device" fill(none)';

const POINTS = { name: "point", nl: "Punt", en: "Point", query: 'SHOW TAG VALUES FROM "report" WITH KEY = "point"' };

/**
 * The newest sample of each device as it was, with its time: a field of its own `last()` would show a number of hours ago beside
 * those of now, also while its sensor has been out of order since.
 */
function newest(fields: readonly string[]): string {
  const list = fields.map((field) => `"${field}"`).join(", ");
  return `SELECT last("row") AS "row", ${list} FROM "report" ${WHERE} GROUP BY "point", "device"`;
}

type Panel = Omit<PanelPlan, "queries" | "type">;

/** A number over time, one line a point. */
function byPoint(field: string, panel: Panel, select = `mean("${field}")`): PanelPlan {
  const query = `SELECT ${select} FROM "report" ${WHERE} ${EVERY_POINT}`;
  return { type: "timeseries", alias: "$tag_point", ...panel, queries: [query] };
}

/** A word over time, one band a point. */
function wordsByPoint(field: string, panel: Panel): PanelPlan {
  const query = `SELECT last("${field}") FROM "report" ${WHERE} ${EVERY_POINT}`;
  return { type: "state-timeline", alias: "$tag_point", ...panel, queries: [query] };
}

const PERCENT = { unit: "percent", min: 0, max: 100 } as const;
const fuel = byPoint("fuelLevelPct", { nl: "Brandstof", en: "Fuel", ...PERCENT });
const charge = byPoint("stateOfChargePct", { nl: "Acculading", en: "Battery charge", ...PERCENT });
const load = byPoint("loadKw", { nl: "Belasting", en: "Load", unit: "kwatt", min: 0 });
const occupancy = byPoint(
  "occupancy",
  { nl: "Aanwezigen", en: "People present", unit: "none", min: 0 },
  'max("occupancy")',
);
const mains = wordsByPoint("mains_word", { nl: "Netspanning", en: "Mains" });
const generator = wordsByPoint("generator_word", { nl: "Noodaggregaat", en: "Generator" });
const phase = wordsByPoint("phase_word", { nl: "Fase van het punt", en: "Phase of the point" });

const overview: BoardPlan = {
  uid: "waakvlam-overview",
  nl: "Overzicht van de punten",
  en: "Overview of the points",
  refresh: "30s",
  from: "now-24h",
  variables: [POINTS],
  panels: [
    {
      type: "table",
      nl: "Laatste meting van elk apparaat, en waarom een waarde er niet is",
      en: "Latest sample of each device, and why a value is not there",
      width: 24,
      queries: [
        newest([
          ...["fuelLevelPct", "loadKw", "stateOfChargePct", "occupancy"].flatMap((field) => [field, `${field}_word`]),
          ...["mains_word", "generator_word"],
        ]),
      ],
    },
    fuel,
    charge,
    mains,
    generator,
    load,
    occupancy,
  ],
};

const SUPPLIES = [
  "communications",
  "power",
  "food",
  "water",
  "warmth",
  "shelter",
  "sanitation",
  "medical",
  "safety",
].map((name) => `supplies_${name}`);

const onePoint: BoardPlan = {
  uid: "waakvlam-point",
  nl: "Eén punt in detail",
  en: "One point in detail",
  refresh: "30s",
  from: "now-72h",
  variables: [POINTS],
  panels: [
    fuel,
    load,
    mains,
    generator,
    byPoint("starterBatteryV", { nl: "Startaccu van het aggregaat", en: "Starter battery", unit: "volt" }),
    byPoint("batteryV", { nl: "Accuspanning", en: "Battery voltage", unit: "volt" }),
    byPoint("batteryA", { nl: "Accustroom", en: "Battery current", unit: "amp" }),
    charge,
    occupancy,
    byPoint(
      "entries",
      { nl: "Binnengekomen", en: "People who came in", unit: "none", min: 0 },
      // The counter starts again at zero: what falls is no entry.
      'non_negative_difference(max("entries"))',
    ),
    byPoint("temperatureC", { nl: "Binnentemperatuur", en: "Temperature inside", unit: "celsius" }),
    phase,
    {
      type: "table",
      nl: "Voorraden in de laatste meting (0 tot 5)",
      en: "Supplies in the latest sample (0 to 5)",
      width: 24,
      height: 5,
      queries: [newest(SUPPLIES)],
    },
    {
      type: "table",
      nl: "Gebeurtenissen",
      en: "Events",
      queries: [`SELECT "event_word", "argument", "device" FROM "event" ${WHERE} ORDER BY time DESC LIMIT 200`],
    },
    {
      type: "table",
      nl: "Waarom er geen brandstofwaarde is",
      en: "Why there is no fuel value",
      queries: [`SELECT "fuelLevelPct_word", "device" FROM "report" ${WHERE} ORDER BY time DESC LIMIT 200`],
    },
  ],
};

const links: BoardPlan = {
  uid: "waakvlam-links",
  nl: "Verbindingen en gegevenskwaliteit",
  en: "Links and data quality",
  refresh: "1m",
  from: "now-24h",
  variables: [POINTS],
  panels: [
    {
      type: "timeseries",
      nl: "Vertraging, hoogste per apparaat",
      en: "Delay, highest by device",
      unit: "s",
      min: 0,
      alias: "$tag_device",
      queries: [`SELECT max("delay_s") FROM "report" ${WHERE} ${EVERY_DEVICE}`],
    },
    {
      type: "timeseries",
      nl: "Langste gat tussen twee metingen",
      en: "Longest gap between two samples",
      unit: "s",
      min: 0,
      alias: "$tag_device",
      queries: [
        `SELECT max("elapsed") FROM (SELECT elapsed("row", 1s) FROM "report" ${WHERE} GROUP BY "device") ` +
          `WHERE $timeFilter ${EVERY_DEVICE}`,
      ],
    },
    {
      type: "timeseries",
      nl: "Metingen per apparaat",
      en: "Samples by device",
      unit: "none",
      min: 0,
      alias: "$tag_device",
      queries: [`SELECT count("row") FROM "report" ${WHERE} GROUP BY time($__interval), "device" fill(0)`],
    },
    {
      type: "timeseries",
      nl: "Metingen per verbinding",
      en: "Samples by link",
      unit: "none",
      min: 0,
      alias: "$tag_link",
      queries: [`SELECT count("row") FROM "report" ${WHERE} GROUP BY time($__interval), "link" fill(0)`],
    },
    {
      type: "timeseries",
      nl: "Metingen met een geschatte of verdachte tijd",
      en: "Samples with an estimated or suspect time",
      unit: "none",
      min: 0,
      alias: "$tag_device",
      queries: [`SELECT count("row") FROM "report" ${WHERE} AND "quality" > 0 ${EVERY_DEVICE}`],
    },
    {
      type: "timeseries",
      nl: "Metingen zonder brandstofwaarde",
      en: "Samples without a fuel value",
      unit: "none",
      min: 0,
      alias: "$tag_device",
      queries: [`SELECT count("fuelLevelPct_word") FROM "report" ${WHERE} ${EVERY_DEVICE}`],
    },
    {
      type: "table",
      nl: "Laatste meting per apparaat",
      en: "Latest sample by device",
      width: 24,
      queries: [`SELECT last("row") AS "row", "delay_s", "quality" FROM "report" ${WHERE} GROUP BY "device", "point"`],
    },
  ],
};

/** Of everything: this one knows no points. */
function total(query: string, panel: Panel, alias: string): PanelPlan {
  return { type: "timeseries", unit: "none", min: 0, alias, ...panel, queries: [query] };
}

const EVERY_TIME = "WHERE $timeFilter GROUP BY time($__interval)";

const gateway: BoardPlan = {
  uid: "waakvlam-gateway",
  nl: "Gateway en apparaten",
  en: "Gateway and devices",
  refresh: "1m",
  from: "now-24h",
  variables: [],
  panels: [
    total(
      `SELECT count("row") FROM "report" ${EVERY_TIME}, "link" fill(0)`,
      { nl: "Rijen per verbinding", en: "Rows by link" },
      "$tag_link",
    ),
    total(
      `SELECT max("row") FROM "report" ${EVERY_TIME} fill(none)`,
      { nl: "Nieuwste rij van het journaal", en: "Newest row of the journal" },
      "rij · row",
    ),
    total(
      `SELECT count("bytes") FROM "undecoded" ${EVERY_TIME}, "device" fill(0)`,
      { nl: "Onleesbare frames", en: "Frames that cannot be read" },
      "$tag_device",
    ),
    total(
      `SELECT sum("samples") FROM "backlog" ${EVERY_TIME}, "device" fill(none)`,
      { nl: "Nagestuurde metingen", en: "Samples sent later" },
      "$tag_device",
    ),
    total(
      `SELECT sum("thinned") FROM "backlog" ${EVERY_TIME}, "device" fill(none)`,
      { nl: "Uitgedunde frames", en: "Thinned frames" },
      "$tag_device",
    ),
    total(
      `SELECT max("storageUsedPct") FROM "info" ${EVERY_TIME}, "device" fill(none)`,
      { nl: "Opslag in gebruik", en: "Storage in use", ...PERCENT },
      "$tag_device",
    ),
    total(
      `SELECT min("memoryFreePct") FROM "info" ${EVERY_TIME}, "device" fill(none)`,
      { nl: "Geheugen vrij", en: "Memory free", ...PERCENT },
      "$tag_device",
    ),
    total(
      `SELECT max("bootCount") FROM "info" ${EVERY_TIME}, "device" fill(none)`,
      { nl: "Herstarts", en: "Starts" },
      "$tag_device",
    ),
    {
      type: "table",
      nl: "Apparaten",
      en: "Devices",
      width: 24,
      queries: [
        'SELECT last("firmwareVersion_word") AS "firmwareVersion_word", last("resetCause_word") AS "resetCause_word", ' +
          'last("faultCount") AS "faultCount", last("reportIntervalS") AS "reportIntervalS" ' +
          'FROM "info" WHERE $timeFilter GROUP BY "device", "point"',
      ],
    },
  ],
};

/** By the name of the file. */
export const BOARDS: Readonly<Record<string, BoardPlan>> = { overview, point: onePoint, links, gateway };
