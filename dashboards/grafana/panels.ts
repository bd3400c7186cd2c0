// Grafana's dashboard model, as far as these dashboards need it: panels laid out in rows, one query or more each.

export const DATA_SOURCE = { type: "influxdb", uid: "waakvlam" } as const;
const SCHEMA_VERSION = 39;
/** Grafana's grid. */
const COLUMNS = 24;

export type PanelType = "timeseries" | "state-timeline" | "table" | "stat";

export interface PanelPlan {
  readonly type: PanelType;
  /** Dutch, with the English beside it. */
  readonly nl: string;
  readonly en: string;
  /** Grafana's name of the unit. */
  readonly unit?: "percent" | "kwatt" | "volt" | "amp" | "celsius" | "s" | "none";
  readonly min?: number;
  readonly max?: number;
  readonly queries: readonly string[];
  /** Legend of a series: `$tag_point`, `$col`. */
  readonly alias?: string;
  /** Columns of 24; 12 when left out. */
  readonly width?: number;
  readonly height?: number;
}

export interface BoardPlan {
  readonly uid: string;
  readonly nl: string;
  readonly en: string;
  /** Fresh look every so often. */
  readonly refresh: string;
  readonly from: string;
  readonly variables: readonly {
    readonly name: string;
    readonly nl: string;
    readonly en: string;
    readonly query: string;
  }[];
  readonly panels: readonly PanelPlan[];
}

function title({ nl, en }: { readonly nl: string; readonly en: string }): string {
  return `${nl} · ${en}`;
}

function targetOf(plan: PanelPlan, query: string, index: number): object {
  const resultFormat = plan.type === "table" ? "table" : "time_series";
  const refId = String.fromCharCode(65 + index);
  const alias = plan.alias === undefined ? {} : { alias: plan.alias };
  return { refId, datasource: DATA_SOURCE, rawQuery: true, query, resultFormat, ...alias };
}

function panelOf(plan: PanelPlan, id: number, at: { readonly x: number; readonly y: number }): object {
  const { type, unit, min, max, queries, width = 12, height = 8 } = plan;
  return {
    id,
    type,
    title: title(plan),
    datasource: DATA_SOURCE,
    gridPos: { h: height, w: width, ...at },
    // A line between two samples is honest only where neither is missing: gaps stay gaps.
    fieldConfig: {
      defaults: {
        ...(unit === undefined ? {} : { unit }),
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(type === "timeseries" ? { custom: { spanNulls: false, showPoints: "auto" } } : {}),
      },
      overrides: [],
    },
    options: type === "stat" ? { reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false } } : {},
    targets: queries.map((query, index) => targetOf(plan, query, index)),
  };
}

/** The JSON model that Grafana provisions. */
export function dashboardOf(plan: BoardPlan): object {
  let [x, y, rowHeight] = [0, 0, 0];
  const panels = plan.panels.map((panel, index) => {
    const { width = 12, height = 8 } = panel;
    if (x + width > COLUMNS) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const placed = panelOf(panel, index + 1, { x, y });
    x += width;
    rowHeight = Math.max(rowHeight, height);
    return placed;
  });
  const list = plan.variables.map(({ name, query, ...words }) => {
    return {
      name,
      label: title(words),
      type: "query",
      datasource: DATA_SOURCE,
      query,
      refresh: 2,
      sort: 1,
      multi: true,
      includeAll: true,
      current: { text: "All", value: "$__all" },
    };
  });
  return {
    uid: plan.uid,
    title: title(plan),
    tags: ["waakvlam"],
    timezone: "browser",
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    refresh: plan.refresh,
    time: { from: plan.from, to: "now" },
    templating: { list },
    annotations: { list: [] },
    panels,
  };
}
