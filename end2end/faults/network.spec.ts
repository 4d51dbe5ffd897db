// Connections break, fall silent in one direction, and lose acknowledgements and packets.

import { FaultProxy, seeded, withoutAcks } from "../support/fault-proxy.ts";
import { type LossyGateway, lossy } from "../support/lossy.ts";
import { type Gateway, faultRow, seconds } from "../support/faults.ts";

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

interface ThiefGateway extends Gateway {
  thief: AckThief;
}

async function withThief(target: string): Promise<ThiefGateway> {
  const thief = new AckThief(0.2);
  const proxy = await FaultProxy.start(target, { down: withoutAcks(() => thief.takes()) });
  return { thief, url: proxy.url, dispose: () => proxy.dispose() };
}

faultRow(
  {
    fault: "20 % of acknowledgements lost",
    often: "for 30 s, between server and client",
    people: { webSocketOnly: true },
    gateway: (site) => withThief(site.proxy.url),
  },
  async ({ gateway, recovered, note }) => {
    const { thief } = gateway as ThiefGateway;
    thief.dropping = true;
    await seconds(30);
    thief.dropping = false;
    const over = performance.now();
    note(thief.sum);
    await recovered(over);
  },
);

faultRow(
  { fault: "5 % of packets lost, 200 ms", often: "for 40 s", people: { webSocketOnly: true }, gateway: (site) => lossy(site.proxy.url) },
  async ({ gateway, people, note }) => {
    await seconds(40);
    await people.flow();
    note((gateway as LossyGateway).how);
  },
);
