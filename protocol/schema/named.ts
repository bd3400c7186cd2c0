// The schemas that have a name, for documents that list each of them once.
import type { TSchema } from "typebox";
import { AlarmMetricsSchema } from "./alarm-metrics.ts";
import { AcknowledgementSchema, AlertSchema, RemovalSchema, ShelvingSchema } from "./alert.ts";
import { DeviceDownlinkSchema, NewDownlinkSchema } from "./downlink.ts";
import { EntrySchema, NewEntrySchema } from "./entry.ts";
import { GatewayStateSchema } from "./gateway-state.ts";
import { DeviceSamplesSchema, PointHistorySchema, PointPhasesSchema } from "./history.ts";
import { DeviceStateSchema, ProblemSchema, RefusalsSchema, SessionSchema, SignInSchema } from "./http.ts";
import {
  IssuedKeysSchema,
  LorawanDeviceChangeSchema,
  LorawanDeviceSchema,
  LorawanImportSchema,
  LorawanStationSchema,
  NewLorawanDeviceSchema,
  NewLorawanKeysSchema,
  NewLorawanReplacementSchema,
} from "./lorawan-operator.ts";
import { CallListSchema, MuteSchema, NewMuteSchema, NoticeSchema, NoticesSchema } from "./notify.ts";
import { OverviewSchema } from "./overview.ts";
import { PointStateSchema } from "./point-state.ts";
import { ProfileSchema } from "./profile.ts";
import {
  AssignmentSchema,
  DeviceSchema,
  MovedSchema,
  NewAssignmentSchema,
  PointSchema,
  RegistryChangesSchema,
  RegistrySchema,
} from "./registry.ts";
import { HelpRequestSchema, NewHelpRequestSchema, NewRequestStepSchema } from "./request.ts";

/** All that crosses HTTP and MQTT. */
export const NAMED_SCHEMAS: readonly TSchema[] = [
  AcknowledgementSchema,
  ShelvingSchema,
  RemovalSchema,
  AlarmMetricsSchema,
  AlertSchema,
  AssignmentSchema,
  DeviceSchema,
  DeviceSamplesSchema,
  DeviceStateSchema,
  DeviceDownlinkSchema,
  EntrySchema,
  GatewayStateSchema,
  HelpRequestSchema,
  NewEntrySchema,
  NewHelpRequestSchema,
  NewRequestStepSchema,
  IssuedKeysSchema,
  LorawanDeviceChangeSchema,
  LorawanDeviceSchema,
  LorawanImportSchema,
  LorawanStationSchema,
  NewDownlinkSchema,
  NewLorawanDeviceSchema,
  NewLorawanKeysSchema,
  NewLorawanReplacementSchema,
  CallListSchema,
  NoticeSchema,
  NoticesSchema,
  MuteSchema,
  NewMuteSchema,
  MovedSchema,
  NewAssignmentSchema,
  OverviewSchema,
  PointSchema,
  PointHistorySchema,
  PointPhasesSchema,
  PointStateSchema,
  ProblemSchema,
  ProfileSchema,
  RefusalsSchema,
  RegistryChangesSchema,
  RegistrySchema,
  SessionSchema,
  SignInSchema,
];

export type JsonSchema = Record<string, unknown>;

function nameOf(schema: unknown): string | undefined {
  const id = (schema as { $id?: unknown } | null)?.$id;
  return typeof id === "string" ? id : undefined;
}

/** A plain copy in which every named schema inside has become a reference. */
export function withReferences(schema: TSchema, referenceTo: (name: string) => string): JsonSchema {
  const copy = (value: unknown, isInside: boolean): unknown => {
    if (Array.isArray(value)) return value.map((one) => copy(one, true));
    if (value === null || typeof value !== "object") return value;
    const name = isInside ? nameOf(value) : undefined;
    if (name !== undefined) return { $ref: referenceTo(name) };
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one, true)]));
  };
  return copy(schema, false) as JsonSchema;
}
