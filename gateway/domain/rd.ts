// RD New (EPSG:28992) beside WGS84, by the polynomial approximation of Schreutelkamp and Strang van Hees (Geodesia, 2001).
// Within a quarter of a metre anywhere in the Netherlands on land.

export interface Rd {
  readonly x: number;
  readonly y: number;
}
export interface Wgs84 {
  readonly lat: number;
  readonly lon: number;
}

/** The tower of Amersfoort, where the system has its origin. */
const ORIGIN = { x: 155_000, y: 463_000, lat: 52.1551744, lon: 5.38720621 };

type Term = readonly [p: number, q: number, factor: number];
// biome-ignore format: a table.
const X: readonly Term[] = [
  [0, 1, 190094.945], [1, 1, -11832.228], [2, 1, -114.221], [0, 3, -32.391], [1, 0, -0.705],
  [3, 1, -2.34], [1, 3, -0.608], [0, 2, -0.008], [2, 3, 0.148],
];
// biome-ignore format: a table.
const Y: readonly Term[] = [
  [1, 0, 309056.544], [0, 2, 3638.893], [2, 0, 73.077], [1, 2, -157.984], [3, 0, 59.788],
  [0, 1, 0.433], [2, 2, -6.439], [3, 2, -0.032], [1, 1, 0.092], [0, 4, -0.054],
];
// biome-ignore format: a table.
const LAT: readonly Term[] = [
  [0, 1, 3235.65389], [2, 0, -32.58297], [0, 2, -0.2475], [2, 1, -0.84978], [0, 3, -0.0655], [2, 2, -0.01709],
  [1, 0, -0.00738], [4, 0, 0.0053], [2, 3, -0.00039], [4, 1, 0.00033], [1, 1, -0.00012],
];
// biome-ignore format: a table.
const LON: readonly Term[] = [
  [1, 0, 5260.52916], [1, 1, 105.94684], [1, 2, 2.45656], [3, 0, -0.81885], [1, 3, 0.05594], [3, 1, -0.05607],
  [0, 1, 0.01199], [3, 2, -0.00256], [1, 4, 0.00128], [0, 2, 0.00022], [2, 0, -0.00022], [5, 0, 0.00026],
];

function sum(terms: readonly Term[], a: number, b: number): number {
  return terms.reduce((total, [p, q, factor]) => total + factor * a ** p * b ** q, 0);
}

export function toRd({ lat, lon }: Wgs84): Rd {
  const [dLat, dLon] = [0.36 * (lat - ORIGIN.lat), 0.36 * (lon - ORIGIN.lon)];
  return { x: ORIGIN.x + sum(X, dLat, dLon), y: ORIGIN.y + sum(Y, dLat, dLon) };
}

export function fromRd({ x, y }: Rd): Wgs84 {
  const [dX, dY] = [(x - ORIGIN.x) * 1e-5, (y - ORIGIN.y) * 1e-5];
  return { lat: ORIGIN.lat + sum(LAT, dX, dY) / 3600, lon: ORIGIN.lon + sum(LON, dX, dY) / 3600 };
}
