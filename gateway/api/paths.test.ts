import { describe, expect, test } from "vitest";
import { allowedMethods, nearestPath } from "./paths.ts";

const ROUTES = [
  { url: "/v1/session", methods: ["GET"] },
  { url: "/v1/session", methods: ["POST"] },
  { url: "/v1/points", methods: ["GET", "HEAD"] },
  { url: "/v1/points/:pointId", methods: ["GET", "HEAD"] },
  { url: "/v1/alerts/:alertId/acknowledgements", methods: ["POST"] },
  { url: "/*", methods: ["GET"] },
  { url: "/:screen(^[a-z-]{1,40}$)", methods: ["GET"] },
];

describe("a path that nobody serves", () => {
  test.each([
    ["/v1/point", "/v1/points"],
    ["/v1/points/", "/v1/points"],
    ["/v1/pionts/alm-01", "/v1/points/{pointId}"],
    ["/points", "/v1/points"],
    ["/V1/Session", "/v1/session"],
    ["/v1/alerts/a-1/acknowledgement", "/v1/alerts/{alertId}/acknowledgements"],
    ["/something/else/altogether", undefined],
    [`/v1/points${"x".repeat(500)}`, undefined],
    ["/", undefined],
  ])("%s was meant to be %s", (path, meant) => {
    expect(nearestPath(path, ROUTES)).toBe(meant);
  });

  test("is told apart from one that takes another method", () => {
    expect(allowedMethods("/v1/session", ROUTES)).toEqual(["GET", "POST"]);
    expect(allowedMethods("/v1/alerts/any/acknowledgements", ROUTES)).toEqual(["POST"]);
    expect(allowedMethods("/v1/elsewhere", ROUTES)).toEqual([]);
    expect(allowedMethods("/meldingen", ROUTES)).toEqual([]);
  });
});
