// Recipients and ways to them, as the configuration names them.
import { readFileSync } from "node:fs";
import type { ChannelType, GatewayConfig, NotifyPlan } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { readNotifyPlan } from "../config/notify-plan.ts";
import { GatewayError } from "../errors.ts";
import type { Carriers } from "./channel.ts";
import { createEmailCarrier } from "./email.ts";
import { createSimPin, createUngivenPin } from "./sim-pin.ts";
import { createSmsCarrier } from "./sms.ts";
import { createWebhookCarrier } from "./webhook.ts";

const EMPTY_PLAN: NotifyPlan = { recipients: [] };

/** Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function planOf(config: GatewayConfig): NotifyPlan {
  return config.notify === undefined ? EMPTY_PLAN : readNotifyPlan(config.notify.file, config);
}

/** Channels that need nothing of a running gateway; who only looks gives a SIM no PIN. Throws FILE_UNREADABLE. */
export function ownCarriers(config: GatewayConfig, clock: Clock, use: "send" | "look" = "send"): Carriers {
  const { smtp, sms, gateway, data } = config;
  return {
    webhook: createWebhookCarrier({ gatewayId: gateway.id, clock, readFile: readText }),
    ...(smtp === undefined ? {} : { email: emailOf(smtp) }),
    ...(sms === undefined ? {} : { sms: smsOf({ ...sms, dir: data.dir, use }, clock) }),
  };
}

function emailOf({ passwordFile, caFile, ...rest }: NonNullable<GatewayConfig["smtp"]>) {
  return createEmailCarrier({
    ...rest,
    ...(passwordFile === undefined ? {} : { password: readText(passwordFile).trim() }),
    ...(caFile === undefined ? {} : { ca: readText(caFile) }),
  });
}

type SmsSetup = NonNullable<GatewayConfig["sms"]> & { readonly dir: string; readonly use: "send" | "look" };

function smsOf({ pinFile, port, baud, dir, use }: SmsSetup, clock: Clock) {
  if (pinFile === undefined) return createSmsCarrier({ port, baud, clock });
  const pinOf = use === "send" ? createSimPin : createUngivenPin;
  return createSmsCarrier({ port, baud, clock, pin: pinOf({ dir, port, pin: readText(pinFile).trim() }) });
}

/** Kept only where somebody is to be told. */
export function usedCarriers(carriers: Carriers, plan: NotifyPlan): Carriers {
  const used = new Set<ChannelType>(plan.recipients.flatMap((one) => one.channels.map((channel) => channel.type)));
  return Object.fromEntries(Object.entries(carriers).filter(([type]) => used.has(type as ChannelType)));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}
