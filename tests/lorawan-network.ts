// The network server in an air of its own, and its end by kill −9.
import { createCipheriv } from "node:crypto";
import { createRandom } from "../firmware/simulator/random.ts";
import type { DownlinkNote } from "../gateway/ingress/lorawan/network/answers.ts";
import { fromHex } from "../gateway/ingress/lorawan/network/crypto.ts";
import type { Identity } from "../gateway/ingress/lorawan/network/identities.ts";
import { createNetworkServer, type NetworkServer } from "../gateway/ingress/lorawan/network/server.ts";
import { NOON_MS } from "./fixtures.ts";
import {
  APP_KEY,
  type HeardPart,
  JOINER,
  type Joined,
  joinRequest,
  openAccept,
  type TestAir,
  type TestStore,
  type TestTaker,
  testAir,
  testIdentities,
  testStore,
  testTaker,
} from "./lorawan-air.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

export interface TestNetwork {
  readonly clock: VirtualClock;
  readonly identities: ReturnType<typeof testIdentities>;
  air: TestAir;
  taker: TestTaker;
  store: TestStore;
  server: NetworkServer;
  refused: string[];
  /** What somebody has to look at. */
  concerns: string[];
  notes: DownlinkNote[];
  isClockTrusted: boolean;
  /** As after kill −9: nothing is finished, and what is on the disk is what there is. */
  restart(): Promise<void>;
  /** Hears a frame and waits until it was handed on. */
  hear(phy: Uint8Array, part?: HeardPart): Promise<void>;
  /** Joins and reads the answer as a device does. */
  join(devNonce: number, part?: HeardPart, identity?: Identity): Promise<Joined>;
}

/** A device enciphers what the server deciphered. */
export function decipherer(appKey: string) {
  return (blocks: Uint8Array) =>
    createCipheriv("aes-128-ecb", fromHex(appKey), null).setAutoPadding(false).update(blocks);
}

export async function testNetwork(...list: readonly Identity[]): Promise<TestNetwork> {
  const clock = virtualClock(NOON_MS);
  const { next: random } = createRandom(1);

  async function open(
    store: TestStore,
  ): Promise<Pick<TestNetwork, "air" | "taker" | "store" | "server" | "refused" | "concerns" | "notes">> {
    const [air, taker, refused, notes] = [testAir(clock), testTaker(), [] as string[], [] as DownlinkNote[]];
    const concerns: string[] = [];
    const server = createNetworkServer({
      ...{ radio: air, taker, identities: net.identities, store, clock, random },
      isClockTrusted: () => net.isClockTrusted,
      onRefusal: ({ reason }) => refused.push(reason),
      onConcern: ({ reason, devEui }) => concerns.push(`${devEui} ${reason}`),
      onDownlink: (note) => notes.push(note),
    });
    await server.start();
    return { air, taker, store, server, refused, concerns, notes };
  }

  const net = {
    ...{ clock, identities: testIdentities(...list), isClockTrusted: true },
    async restart() {
      const { rows, epoch } = net.store;
      net.store.beforeSave = () => {
        throw new Error("the old process is dead");
      };
      Object.assign(net, await open(Object.assign(testStore(new Map(rows)), { epoch })));
    },
    async hear(phy, part) {
      net.air.hear(phy, part);
      await clock.advance(250);
    },
    async join(devNonce, part, identity = JOINER) {
      const before = net.air.sent.length;
      const { appKey = APP_KEY } = identity;
      await net.hear(joinRequest(identity, devNonce), part);
      const accept = net.air.sent[before];
      if (accept === undefined) throw new Error(`no join-accept: ${net.refused.join()}`);
      return openAccept(accept.phy, devNonce, decipherer(appKey), appKey);
    },
  } as TestNetwork;
  return Object.assign(net, await open(testStore()));
}
