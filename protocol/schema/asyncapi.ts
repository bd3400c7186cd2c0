// The AsyncAPI 3 document of MQTT (protocol section 2), made from the topics and the schemas.
import {
  alertTopic,
  downlinkTopic,
  GATEWAY_STATE_TOPIC,
  noticeTopic,
  pointStateTopic,
  uplinkTopic,
} from "../topics.ts";
import { type JsonSchema, NAMED_SCHEMAS, withReferences } from "./named.ts";
import { IdSchema } from "./scalars.ts";

const SCHEMAS = "#/components/schemas/";
const FRAME = "One binary frame, then 8 bytes of tag: see protocol/README.md. At most 250 bytes.";

interface Channel {
  readonly name: string;
  readonly address: string;
  readonly title: string;
  /** As the gateway does it. */
  readonly action: "send" | "receive";
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** A schema's name; a frame when there is none. */
  readonly payload?: string;
  readonly description: string;
}

const CHANNELS: readonly Channel[] = [
  {
    name: "uplink",
    address: uplinkTopic("{deviceId}"),
    title: "From a device",
    action: "receive",
    qos: 1,
    retain: false,
    description: "Only the device itself publishes here. PUBACK comes after the commit.",
  },
  {
    name: "downlink",
    address: downlinkTopic("{deviceId}"),
    title: "To a device",
    action: "send",
    qos: 0,
    retain: false,
    description: "Only the device itself reads here. Never queued by the broker.",
  },
  {
    name: "pointState",
    address: pointStateTopic("{pointId}"),
    title: "What is known of a point",
    action: "send",
    qos: 0,
    retain: true,
    payload: "PointState",
    description: "For readers. Retained.",
  },
  {
    name: "alert",
    address: alertTopic("{alertId}"),
    title: "An alert",
    action: "send",
    qos: 0,
    retain: true,
    payload: "Alert",
    description: "For readers. Retained while open; an empty payload clears it.",
  },
  {
    name: "notice",
    address: noticeTopic("{noticeId}"),
    title: "A notice to a recipient",
    action: "send",
    qos: 0,
    retain: false,
    payload: "Notice",
    description: "For readers, and for recipients with the channel `mqtt`. Sent again it has the same id.",
  },
  {
    name: "gatewayState",
    address: GATEWAY_STATE_TOPIC,
    title: "The gateway about itself",
    action: "send",
    qos: 0,
    retain: true,
    payload: "GatewayState",
    description: "For readers. Retained. Late (after `nextBefore`) means down.",
  },
];

function parametersOf(address: string): JsonSchema {
  const names = [...address.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const about = (name: string) =>
    name === "alertId" || name === "noticeId"
      ? `3 to ${name === "alertId" ? 80 : 160} of a-z, 0-9 and hyphen`
      : (IdSchema as { description?: string }).description;
  return Object.fromEntries(names.map((name) => [name, { description: about(name) }]));
}

function channelOf({ name, address, title, description }: Channel): [string, JsonSchema] {
  const messages = { [name]: { $ref: `#/components/messages/${name}` } };
  return [name, { address, title, description, parameters: parametersOf(address), messages }];
}

function operationOf({ name, action, qos, retain }: Channel): [string, JsonSchema] {
  return [
    `${action}-${name}`,
    {
      action,
      channel: { $ref: `#/channels/${name}` },
      messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
      bindings: { mqtt: { qos, retain, bindingVersion: "0.2.0" } },
    },
  ];
}

function messageOf({ name, title, payload }: Channel): [string, JsonSchema] {
  const body =
    payload === undefined
      ? { contentType: "application/octet-stream", payload: { type: "string", format: "binary", description: FRAME } }
      : { contentType: "application/json", payload: { $ref: `${SCHEMAS}${payload}` } };
  return [name, { name, title, ...body }];
}

function schemasOf(): JsonSchema {
  const used = new Set(CHANNELS.map((channel) => channel.payload));
  const named = NAMED_SCHEMAS.map((schema) => ({ schema, name: String((schema as { $id?: string }).$id) }));
  return Object.fromEntries(
    named
      .filter(({ name }) => used.has(name))
      .map(({ schema, name }) => {
        const { $id: _, ...rest } = withReferences(schema, (inner) => SCHEMAS + inner);
        return [name, rest];
      }),
  );
}

/** A plain JSON object; the same for the same version. */
export function asyncApiDocument(version: string): JsonSchema {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Waakvlam over MQTT",
      version,
      description: "Frames of devices, and the state that the gateway keeps retained for readers. MQTT 3.1.1.",
      license: { name: "EUPL-1.2" },
    },
    defaultContentType: "application/json",
    servers: {
      gateway: {
        host: "{host}:{port}",
        protocol: "mqtt",
        description: "The gateway of this coordination point. People sign in over TLS or on the same machine only.",
        variables: { host: { default: "localhost" }, port: { default: "1883" } },
        security: [{ $ref: "#/components/securitySchemes/password" }],
      },
    },
    channels: Object.fromEntries(CHANNELS.map(channelOf)),
    operations: Object.fromEntries(CHANNELS.map(operationOf)),
    components: {
      messages: Object.fromEntries(CHANNELS.map(messageOf)),
      schemas: schemasOf(),
      securitySchemes: {
        password: {
          type: "userPassword",
          description:
            "A device: client id and user name are its deviceId, the password is derived from its key. " +
            "A person: name and password as on the screens.",
        },
      },
    },
  };
}
