import { configDefaults, defineConfig } from "vitest/config";

const BESIDE_SOURCES = ["packaging", "protocol", "firmware", "gateway", "dashboards", "tests/bench"];
/** Beside their sources as well, but of ten seconds and more: not for whoever waits. */
const LONG = BESIDE_SOURCES.map((folder) => `${folder}/**/*.long.test.ts`);
const UNIT = BESIDE_SOURCES.map((folder) => `${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Left to itself it leaves a core idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 90_000,
    projects: [
      { test: { name: "unit", include: UNIT, exclude: [...configDefaults.exclude, ...LONG] } },
      { test: { name: "long", include: LONG } },
      { test: { name: "vectors", include: ["tests/vectors/**/*.test.ts"] } },
      { test: { name: "fuzz", include: ["tests/fuzz/**/*.test.ts"] } },
      { test: { name: "tidy", include: ["tests/tidy/**/*.test.ts"] } },
      {
        test: {
          name: "engine",
          include: ["tests/engine/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
