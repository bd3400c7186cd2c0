// What a device is told on the bench: who it is, where to send, what is fitted. Written once, with its checksum.

/** @json: its names stay as they are when a bundle is made. */
export interface DeviceConfig {
  readonly deviceId: string;
  /** 64 hex digits. */
  readonly key: string;
  readonly wifi: { readonly ssid: string; readonly password: string };
  readonly host: string;
  readonly port: number;
  /** Hex, upper case: 16, 16 and 32 digits. */
  readonly lorawan?: { readonly devEui: string; readonly joinEui: string; readonly appKey: string };
  /** Settings 1 to 8 of the protocol by name. */
  readonly settings: { readonly [name: string]: number };
  readonly sensors: {
    readonly fuelProbe: boolean;
    readonly batteryMonitor: boolean;
    readonly peopleCounter: boolean;
    readonly generatorInputs: boolean;
  };
  readonly shuntOhm: number;
  readonly starterFullScaleV: number;
}

export const SETTINGS_DEFAULT: { readonly [name: string]: number } = { reportIntervalS: 60, ackEvery: 4 };

/** Bytes of a key in hex, two digits each. */
export function bytesOfHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.substr(i * 2, 2), 16);
  return out;
}
