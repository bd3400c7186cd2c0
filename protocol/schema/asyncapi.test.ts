import { describe, expect, test } from "vitest";
import * as topics from "../topics.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { NAMED_SCHEMAS, withReferences } from "./named.ts";

interface Document {
  readonly channels: Record<
    string,
    { address: string; parameters: object; messages: Record<string, { $ref: string }> }
  >;
  readonly operations: Record<string, { channel: { $ref: string }; action: string; bindings: { mqtt: object } }>;
  readonly components: { readonly messages: Record<string, { payload: object }>; readonly schemas: object };
}

const document = asyncApiDocument("0.1.0") as unknown as Document;

function resolve(root: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], root);
}

function referencesIn(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  const own = (value as { $ref?: unknown }).$ref;
  return [...(typeof own === "string" ? [own] : []), ...Object.values(value).flatMap(referencesIn)];
}

describe("the AsyncAPI document", () => {
  test("has every topic of the protocol, and one operation on each", () => {
    const made = Object.entries(topics).flatMap(([name, value]) => {
      if (name === "GATEWAY_STATE_TOPIC") return [String(value)];
      if (!/^[a-z][A-Za-z]*Topic$/.test(name) || name === "parseDeviceTopic") return [];
      const ids: Record<string, string> = {
        pointStateTopic: "{pointId}",
        alertTopic: "{alertId}",
        noticeTopic: "{noticeId}",
      };
      const id = ids[name] ?? "{deviceId}";
      return [(value as (id: string) => string)(id)];
    });
    expect(made).toHaveLength(6);
    expect(
      Object.values(document.channels)
        .map((one) => one.address)
        .sort(),
    ).toEqual(made.sort());
    const served = Object.values(document.operations).map((one) => one.channel.$ref);
    expect(served.sort()).toEqual(
      Object.keys(document.channels)
        .map((name) => `#/channels/${name}`)
        .sort(),
    );
  });

  test("every reference in it leads somewhere, and every word in braces is explained", () => {
    const references = referencesIn(document);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references)
      expect([reference, typeof resolve(document, reference)]).toEqual([reference, "object"]);
    for (const { address, parameters } of Object.values(document.channels)) {
      expect(Object.keys(parameters)).toEqual([...address.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    }
  });

  test("each state topic carries the schema of its noun, each frame its bytes", () => {
    expect(Object.keys(document.components.schemas).sort()).toEqual(["Alert", "GatewayState", "Notice", "PointState"]);
    expect(document.components.messages["pointState"]?.payload).toEqual({ $ref: "#/components/schemas/PointState" });
    expect(document.components.messages["uplink"]?.payload).toMatchObject({ format: "binary" });
    expect(document.operations["receive-uplink"]).toMatchObject({ bindings: { mqtt: { qos: 1, retain: false } } });
    expect(document.operations["send-alert"]).toMatchObject({ bindings: { mqtt: { retain: true } } });
  });
});

describe("named schemas", () => {
  test("have names of their own", () => {
    const names = NAMED_SCHEMAS.map((schema) => (schema as { $id?: string }).$id);
    expect(new Set(names).size).toBe(NAMED_SCHEMAS.length);
  });

  test("become references inside one another, and stay themselves outside", () => {
    const overview = NAMED_SCHEMAS.find((schema) => (schema as { $id?: string }).$id === "Overview");
    const copy = withReferences(overview as NonNullable<typeof overview>, (name) => `${name}#`);
    expect(copy).toMatchObject({
      $id: "Overview",
      properties: { gateway: { $ref: "GatewayState#" }, points: { items: { $ref: "PointState#" } } },
    });
  });
});
