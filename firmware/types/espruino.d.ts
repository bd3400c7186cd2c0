// What an Espruino board has as globals and modules (2v29), as far as the firmware uses it.

type Pin = { readonly pinName?: string } | number;

interface EspruinoSerial {
  setup(baud: number, options: { rx?: Pin; tx?: Pin; bytesize?: number; parity?: string; stopbits?: number }): void;
  unsetup(): void;
  on(event: "data", listener: (data: string) => void): void;
  removeAllListeners(event: "data"): void;
  write(data: string | Uint8Array): void;
}

interface EspruinoStorage {
  read(name: string, offset?: number, length?: number): string | undefined;
  write(name: string, data: string | Uint8Array, offset?: number, size?: number): boolean;
}

interface EspruinoFlash {
  read(length: number, address: number): Uint8Array;
  write(data: Uint8Array, address: number): void;
  erasePage(address: number): void;
}

interface EspruinoSocket {
  on(event: "data", listener: (data: string) => void): void;
  on(event: "close", listener: (hadError: boolean) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  write(data: string): boolean;
  end(): void;
}

interface EspruinoModules {
  Storage: EspruinoStorage;
  Flash: EspruinoFlash;
  /** The engine takes an array for the bytes of all that is in it. */
  crypto: { SHA256(data: readonly Uint8Array[]): ArrayBuffer };
  net: { connect(options: { host: string; port: number }, connected: () => void): EspruinoSocket };
  Wifi: {
    connect(ssid: string, options: { password: string }, done: (error: string | null) => void): void;
    on(event: "disconnected", listener: () => void): void;
    disconnect(): void;
  };
}

declare const Serial1: EspruinoSerial;
declare const Serial2: EspruinoSerial;
declare const E: {
  CRC32(data: string | Uint8Array): number;
  toUint8Array(data: string): Uint8Array;
  enableWatchdog(timeoutS: number, automatic: boolean): void;
  kickWatchdog(): void;
  getErrorFlags(): string[];
  on(event: "errorFlag", listener: (flags: string[]) => void): void;
  reboot(): void;
};
declare const NRF: { getBattery(): number };
declare function atob(base64: string): string;
declare function getTime(): number;
declare function setTime(seconds: number): void;
declare function analogRead(pin: Pin): number;
declare function digitalRead(pin: Pin): number;
declare function digitalWrite(pin: Pin, value: number | boolean): void;
declare function pinMode(pin: Pin, mode: string): void;
declare function setWatch(
  listener: (event: { state: boolean; time: number }) => void,
  pin: Pin,
  options: { repeat: boolean; edge?: "rising" | "falling" | "both"; debounce: number },
): number;
