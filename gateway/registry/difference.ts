// What two registries differ in: row by row, field by field.
import { NOUNS, type Noun, type Registry, type RegistryChanges } from "../../protocol/index.ts";

export type Change = RegistryChanges["changes"][number];

type Row = Readonly<Record<string, unknown>>;

/** What names a row; one that comes again in another period has where it begins beside it. */
const KEYS: { readonly [N in Noun]: readonly string[] } = {
  municipalities: ["id"],
  organisations: ["id"],
  points: ["pointId"],
  assets: ["assetId"],
  assignments: ["assetId", "pointId", "from"],
  devices: ["deviceId", "from"],
  contacts: ["pointId", "role", "phone"],
  processes: ["pointId", "processId"],
};

function byId(noun: Noun, rows: readonly Row[]): Map<string, Row> {
  return new Map(
    rows.map((row) => {
      const words = KEYS[noun].map((key) => row[key]).filter((word) => word !== undefined);
      return [words.map(String).join(" "), row];
    }),
  );
}

/** `connection.ceeA` → 32; a list is one field. */
export function flat(value: Row, before = ""): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, one] of Object.entries(value)) {
    const name = `${before}${key}`;
    if (typeof one === "object" && one !== null && !Array.isArray(one))
      for (const [inner, text] of flat(one as Row, `${name}.`)) fields.set(inner, text);
    else if (one !== undefined) fields.set(name, typeof one === "string" ? one : JSON.stringify(one));
  }
  return fields;
}

function fieldsOf(before: Row, after: Row): Change["fields"] {
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => old.get(field) !== now.get(field))
    .map((field) => {
      const [a, b] = [old.get(field), now.get(field)];
      return { field, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) };
    });
}

export function registryChanges(before: Registry, after: Registry): Change[] {
  return NOUNS.flatMap((noun): Change[] => {
    const [old, now] = [byId(noun, before[noun]), byId(noun, after[noun])];
    const gone = [...old.keys()].filter((id) => !now.has(id));
    const found = [...now].flatMap(([id, row]): Change[] => {
      const was = old.get(id);
      if (was === undefined) return [{ noun, id, kind: "added", fields: [] }];
      const fields = fieldsOf(was, row);
      return fields.length === 0 ? [] : [{ noun, id, kind: "changed", fields }];
    });
    return [...found, ...gone.map((id): Change => ({ noun, id, kind: "removed", fields: [] }))];
  });
}

/** `~ points alm-01: capacity.day 150 → 160`: one line a row. */
export function changeLine({ noun, id, kind, fields }: Change): string {
  const mark = { added: "+", changed: "~", removed: "-" }[kind];
  const words = fields.map(({ field, before, after }) => `${field} ${before ?? "(none)"} → ${after ?? "(none)"}`);
  return `${mark} ${noun} ${id}${words.length === 0 ? "" : `: ${words.join(", ")}`}`;
}

/** For the log: how many, no data. */
export function countChanges(changes: readonly Change[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const noun of ["points", "devices", "assets", "assignments"] as const) {
    for (const kind of ["added", "changed", "removed"] as const) {
      const name = `${noun}${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
      counts[name] = changes.filter((one) => one.noun === noun && one.kind === kind).length;
    }
  }
  counts["others"] = changes.filter(
    ({ noun }) => !["points", "devices", "assets", "assignments"].includes(noun),
  ).length;
  return counts;
}
