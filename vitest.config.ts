import { defineConfig } from "vitest/config";

const UNIT = [
  "packaging/**/*.test.ts",
  "protocol/**/*.test.ts",
  "firmware/**/*.test.ts",
  "gateway/**/*.test.ts",
  "dashboards/**/*.test.ts",
  "tests/bench/**/*.test.ts",
];

export default defineConfig({
  test: {
    // Left to itself it leaves a core idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 90_000,
    projects: [
      { test: { name: "unit", include: UNIT } },
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
