// Who may use the network: what the registry and the store of keys know of each LoRaWAN device. Keys are read here and nowhere
// kept: the state of a session is no secret, its keys are made again from these (session.ts).
import type { Eui } from "../interfaces.ts";

/** LoRaWAN L2 versions that are served. 1.0.4 counts its DevNonce up; those before draw it. */
export type MacVersion = "1.0.2" | "1.0.3" | "1.0.4";

/** Activation by personalisation: 8, 32 and 32 hexadecimal digits in lower case, most significant byte first. */
export interface AbpKeys {
  readonly devAddr: string;
  readonly nwkSKey: string;
  readonly appSKey: string;
  /** Seconds to its first window; 1 unless it is set otherwise. */
  readonly rxDelayS?: number;
  /** Of its second window; 0 (SF12) unless it is set otherwise. */
  readonly rx2DataRate?: number;
}

interface IdentityBase {
  readonly devEui: Eui;
  readonly deviceId: string;
  readonly version: MacVersion;
  /** A device that is not is heard, counted and neither taken nor answered. */
  readonly isEnabled: boolean;
}

export type Identity =
  | (IdentityBase & {
      /** Undefined: whichever it asks to join by. */
      readonly joinEui?: Eui | undefined;
      /** 32 hexadecimal digits. */
      readonly appKey: string;
      readonly abp?: undefined;
    })
  | (IdentityBase & { readonly abp: AbpKeys; readonly appKey?: undefined });

/** Asked at each frame: what an operator changes holds from the next one on. */
export interface Identities {
  byDevEui(eui: Eui): Identity | undefined;
  all(): readonly Identity[];
}
