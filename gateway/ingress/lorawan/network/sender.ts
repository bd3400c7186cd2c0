// Brings a frame to a device in one of its windows: books the airtime, asks the base station, and goes on to the next window when that one
// cannot.
import type { Clock } from "../../../clock.ts";
import type { Eui, Radio, TransmitOutcome } from "../interfaces.ts";
import { SUB_BANDS } from "./eu868.ts";
import type { Ledger, Planned } from "./ledger.ts";
import type { Window } from "./windows.ts";

export type WindowRefusal =
  | "downlink-too-late"
  | "downlink-duty-cycle"
  | "downlink-station-busy"
  | "downlink-too-large";

export interface Chosen<T> {
  readonly window: Window;
  readonly planned: Planned;
  readonly what: T;
}

/** What would go in a window, and the bytes of its whole frame; undefined when nothing fits. */
export type Offer<T> = (window: Window) => { readonly what: T; readonly bytes: number } | undefined;

export interface Sender {
  /** The first window that is still to come and has room; its airtime is booked. Else why the last one was not. */
  choose<T>(windows: readonly Window[], offer: Offer<T>, isAnswer: boolean): Chosen<T> | WindowRefusal;
  cancel(chosen: Chosen<unknown>): void;
  /** Sends in the window that was chosen, or in one that comes after it in `windows`. Never rejects. */
  send(chosen: Chosen<unknown>, phy: Uint8Array, windows: readonly Window[]): Promise<TransmitOutcome>;
}

export function createSender(radio: Radio, ledger: Ledger, clock: Clock): Sender {
  /** They said that the power of the second window is too much for them. */
  const weak = new Set<Eui>();

  const powerOf = ({ stationId, powerDbm }: Window) => {
    return weak.has(stationId) ? Math.min(powerDbm, SUB_BANDS.L.powerDbm) : powerDbm;
  };

  function choose<T>(windows: readonly Window[], offer: Offer<T>, isAnswer: boolean): Chosen<T> | WindowRefusal {
    let why: WindowRefusal = "downlink-too-late";
    for (const window of windows) {
      if (clock.monotonicMs() > window.untilMs) continue;
      const offered = offer(window);
      if (offered === undefined) {
        why = "downlink-too-large";
        continue;
      }
      const planned = ledger.book({ ...window, bytes: offered.bytes }, isAnswer);
      if (typeof planned !== "string") return { window, planned, what: offered.what };
      why = `downlink-${planned}`;
    }
    return why;
  }

  async function order(window: Window, phy: Uint8Array): Promise<TransmitOutcome> {
    const { stationId, frequencyHz, dataRate, counterUs } = window;
    const powerDbm = powerOf(window);
    const outcome = await radio.transmit({ stationId, phy, frequencyHz, dataRate, powerDbm, counterUs });
    if (outcome !== "power" || powerDbm <= SUB_BANDS.L.powerDbm) return outcome;
    weak.add(stationId);
    return order(window, phy);
  }

  return {
    choose,
    cancel: ({ planned }) => ledger.giveBack(planned),
    async send(chosen, phy, windows) {
      let { window, planned } = chosen;
      const offer: Offer<undefined> = ({ payloadMax }) => {
        return phy.length <= payloadMax + 13 ? { what: undefined, bytes: phy.length } : undefined;
      };
      for (;;) {
        const outcome = await order(window, phy);
        // One that says nothing may have sent it.
        if (outcome === "sent" || outcome === "no-answer") return outcome;
        ledger.giveBack(planned);
        const next = choose(windows.slice(windows.indexOf(window) + 1), offer, false);
        if (typeof next === "string") return outcome;
        ({ window, planned } = next);
      }
    },
  };
}
