// What a device is told on the bench: who it is, where to send, what is fitted. Its settings can be changed by a downlink.

/** @json: its names stay as they are when a bundle is made. */
export interface DeviceConfig {
  readonly deviceId: string;
  /** 64 hex digits. */
  readonly key: string;
  readonly wifi?: { readonly ssid: string; readonly password: string };
  readonly host: string;
  readonly port: number;
  /** Hex, upper case: 16, 16 and 32 digits. */
  readonly lorawan?: {
    readonly devEui: string;
    readonly joinEui: string;
    readonly appKey: string;
    /** Usual data rate, 2, 3 or 5; 3 when left out. */
    readonly rate?: number;
  };
  /** By the number that a config frame gives them; 0 is none. */
  readonly settings: readonly number[];
  readonly sensors: {
    readonly fuelProbe: boolean;
    readonly batteryMonitor: boolean;
    readonly peopleCounter: boolean;
    readonly generatorInputs: boolean;
  };
  readonly shuntOhm: number;
  readonly starterFullScaleV: number;
}

// Settings by their number on the wire (protocol section 1.2).
export const REPORT_INTERVAL = 1;
export const ALARM_INTERVAL = 2;
export const FUEL_LOW = 3;
export const FUEL_CRITICAL = 4;
export const SOC_LOW = 5;
export const SOC_CRITICAL = 6;
export const CAPACITY = 7;
export const ACK_EVERY = 8;
export const SETTINGS_COUNT = 8;

/** Whether a device can work with this value of a setting: percent up to 100, an interval of 10 s at least. */
export function isSetting(id: number, value: number): boolean {
  const least = id === REPORT_INTERVAL || (id === ALARM_INTERVAL && value) ? 10 : id === ACK_EVERY ? 1 : 0;
  const most = id >= FUEL_LOW && id <= SOC_CRITICAL ? 100 : id === ACK_EVERY ? 255 : 65535;
  return id > 0 && id <= SETTINGS_COUNT && value >= least && value <= most;
}

/** Settings by number, as the device works with them: what is not given or makes no sense is the usual. */
export function settingsOf(given: readonly number[], intervalS: number): number[] {
  const settings = [0, intervalS, 0, 0, 0, 0, 0, 0, 4];
  for (let id = 1; id <= SETTINGS_COUNT; id++)
    if (isSetting(id, given[id] as number)) settings[id] = given[id] as number;
  return settings;
}

/** How settings lie in their record of the ring, from byte 3 on: two bytes of those whose bit is set, one of each other. */
const WIDE = (1 << REPORT_INTERVAL) | (1 << ALARM_INTERVAL) | (1 << CAPACITY);
const SETTINGS_AT = 3;

/** Writes settings into their record. */
export function putSettings(record: Uint8Array, settings: readonly number[]): void {
  let at = SETTINGS_AT;
  for (let id = 1; id <= SETTINGS_COUNT; id++) {
    const value = settings[id] as number;
    if ((WIDE >> id) & 1) record[at++] = value >> 8;
    record[at++] = value;
  }
}

/** The settings of a record. */
export function takeSettings(record: Uint8Array): number[] {
  const settings = [0];
  let at = SETTINGS_AT;
  for (let id = 1; id <= SETTINGS_COUNT; id++) {
    let value = record[at++] as number;
    if ((WIDE >> id) & 1) value = value * 256 + (record[at++] as number);
    settings.push(value);
  }
  return settings;
}

/** Those that are set, in order of id (setting u8, value u16): what configHash is taken of. */
export function settingRows(settings: readonly number[]): Uint8Array {
  const rows: number[] = [];
  for (let id = 1; id <= SETTINGS_COUNT; id++) {
    const value = settings[id] as number;
    if (value) rows.push(id, value >> 8, value & 255);
  }
  return new Uint8Array(rows);
}

/** Bytes of a key in hex, two digits each. */
export function bytesOfHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.substr(i * 2, 2), 16);
  return out;
}
