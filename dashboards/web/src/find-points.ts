// Points by what one types of their names.
import type { PointState } from "../../../protocol/schema/index.ts";

/** As many as one overlooks; more typing finds the rest. */
const FOUND_MAX = 8;

export function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[’'`]/g, "").toLowerCase().trim();
}

/** Every word typed stands somewhere in name, municipality or id; names that begin with it come first. */
export function findPoints(points: readonly PointState[], text: string): readonly PointState[] {
  const words = plain(text).split(/\s+/);
  const begins = (point: PointState) => (plain(point.name).startsWith(words[0] ?? "") ? 0 : 1);
  return points
    .filter((point) => {
      const where = plain(`${point.name} ${point.municipality} ${point.pointId}`);
      return words.every((word) => where.includes(word));
    })
    .sort((a, b) => begins(a) - begins(b) || a.name.localeCompare(b.name))
    .slice(0, FOUND_MAX);
}
