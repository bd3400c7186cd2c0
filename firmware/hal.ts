// What a driver or a link may use of a board: interfaces, no code. A board hands them in; nobody picks its own pins.

/** Calls back once, after so many milliseconds. Gives the call that forgets it. */
export type Delay = (ms: number, run: () => void) => () => void;

/** A serial line. Data comes in pieces of any size, as bytes in a string. */
export interface SerialLine {
  open(listener: (data: string) => void): void;
  close(): void;
  /** Only while it is open. */
  write(data: string): void;
}

/** An analogue input, as a share (0..1) of the converter's reference voltage. */
export type AnalogInput = () => number;

/** A digital input: true is high. */
export type DigitalInput = () => boolean;

/** Calls the listener on both edges of an input, with its new level and its time in seconds. */
export type EdgeWatch = (listener: (isHigh: boolean, timeS: number) => void) => void;

/** NOR flash: writing clears bits, erasing a page sets them all. Addresses and lengths are multiples of four. */
export interface FlashArea {
  readonly pageBytes: number;
  readonly pages: number;
  /** `offset` counts from the start of the area. */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  erase(page: number): void;
}

/** A stream to the broker, as bytes in strings. */
export interface Stream {
  write(data: string): void;
  end(): void;
}

export interface StreamEvents {
  opened(): void;
  data(data: string): void;
  /** Once, whatever the cause. */
  closed(): void;
}

/** Opens a stream; the events come later, never during this call. */
export type Connect = (events: StreamEvents) => Stream;

/** A way to the gateway. Calls back with downlinks, and whenever `isUp` or `room` has changed, as its maker was told. */
export interface Link {
  /** A session is there: frames can be expected to arrive. */
  isUp(): boolean;
  /** Largest frame in bytes that it takes now, its tag not counted; 0 when none (down, busy, window full, airtime used up). */
  room(): number;
  /** The same for history, which leaves something over for what is new. */
  spare(): number;
  /** Seconds until a frame of so many bytes has been paid for at the rate that its rules allow; 0 where there are none. */
  costS(bytes: number): number;
  /** Events of many points at once are spread over time, and history is paced. */
  isSlow(): boolean;
  /**
   * Takes one frame of at most `room()` bytes, and leaves it as it is until it is done with it. `done` once, later: whether it
   * has left (MQTT: PUBACK; LoRaWAN: sent and both receive windows over). A confirmed frame is a wish that only LoRaWAN knows.
   */
  send(frame: Uint8Array, isConfirmed: boolean, done: (taken: boolean) => void): void;
}
