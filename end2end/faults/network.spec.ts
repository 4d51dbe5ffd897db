// Connections break, fall silent in one direction, and lose acknowledgements and packets.

import { FaultProxy, seeded, withoutAcks } from "../support/fault-proxy.ts";
import { type LossyDoor, lossy } from "../support/lossy.ts";
import { type Door, faultRow, seconds } from "../support/faults.ts";

const RELOADS = 5;

faultRow({ fault: "Proxy reloaded, all connections dropped", often: `${RELOADS} times` }, async ({ site, people, recovered }) => {
  for (let reload = 1; reload <= RELOADS; reload += 1) {
    const began = performance.now();
    await site.proxy.reload();
    await recovered(began);
    await people.flow();
  }
});

/** Drops some of the server's acknowledgements in transit, while told to. */
class AckThief {
  dropping = false;
  #all = 0;
  #dropped = 0;
  readonly #random = seeded(20);

  constructor(private readonly share: number) {}

  takes(): boolean {
    if (!this.dropping) return false;
    const takes = this.#random() < this.share;
    this.#all += 1;
    this.#dropped += takes ? 1 : 0;
    return takes;
  }

  get sum(): string {
    return `${this.#dropped} of ${this.#all} dropped`;
  }
}

interface ThiefDoor extends Door {
  thief: AckThief;
}

async function withThief(target: string): Promise<ThiefDoor> {
  const thief = new AckThief(0.2);
  const proxy = await FaultProxy.start(target, { down: withoutAcks(() => thief.takes()) });
  return { thief, url: proxy.url, dispose: () => proxy.dispose() };
}

faultRow(
  {
    fault: "20 % of acknowledgements lost",
    often: "for 30 s, between server and client",
    people: { webSocketOnly: true },
    door: (site) => withThief(site.proxy.url),
  },
  async ({ door, recovered, note }) => {
    const { thief } = door as ThiefDoor;
    thief.dropping = true;
    await seconds(30);
    thief.dropping = false;
    const over = performance.now();
    note(thief.sum);
    await recovered(over);
  },
);

faultRow(
  { fault: "5 % of packets lost, 200 ms", often: "for 40 s", people: { webSocketOnly: true }, door: (site) => lossy(site.proxy.url) },
  async ({ door, people, note }) => {
    await seconds(40);
    await people.flow();
    note((door as LossyDoor).how);
  },
);
