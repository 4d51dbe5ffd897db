// Many clients at once: some stop, all of them return.

import { expect, test } from "@playwright/test";

import { ChatClient } from "../support/client.ts";
import { type Played, judged, report, told } from "../support/faults.ts";
import { Many } from "../support/many.ts";
import { type PeopleOptions, type Side, type SiteOptions, hubbub, socketio } from "../support/sides.ts";
import type { People, Site } from "../support/site.ts";
import { until } from "../support/until.ts";

/** The server's ping interval and timeout, plus 2 s. */
const GONE_MS = 47_000;

interface Scene {
  side: Side;
  site: Site;
  people: People;
  /** Adds people to the same room, before any message is sent. */
  many: (count: number, first?: number) => Promise<Many>;
}

async function scene(side: Side, options: PeopleOptions & SiteOptions, act: (scene: Scene) => Promise<Played>): Promise<Played> {
  const site = await side.site(options);
  const crowds: Many[] = [];
  let people: People | undefined;
  try {
    people = await side.people(site, options);
    const { room } = people;
    const many = async (count: number, first = 0): Promise<Many> => {
      const one = await Many.start(side.name, site, room, count, first);
      crowds.push(one);
      await one.joined(180_000);
      return one;
    };
    return await act({ side, site, people, many });
  } catch (error) {
    throw told(side, site, error);
  } finally {
    people?.close();
    for (const crowd of crowds) await crowd.close();
    await site.dispose();
  }
}

const STOPPED = 200;

/** Waits until the roster counts this many people. */
async function counted(site: Site, room: string, here: number): Promise<void> {
  const client = new ChatClient(site.proxy.url, { transports: ["websocket"] });
  try {
    await client.signIn("Counter");
    await until(`${here} are counted`, GONE_MS, async () => (await client.roster(room)).here === here);
  } finally {
    client.close();
  }
}

async function stopped(side: Side): Promise<Played> {
  return scene(side, { everyMs: 200 }, async ({ site, people, many }) => {
    const crowd = await many(STOPPED);
    return judged(
      people,
      async ({ took, note }) => {
        const began = performance.now();
        crowd.pause();
        if (people.room !== undefined) {
          await counted(site, people.room, people.ears.length);
          note(`not counted any more after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
        } else {
          await new Promise((gone) => setTimeout(gone, GONE_MS));
        }
        await people.flow();
        const on = performance.now();
        crowd.resume();
        took(await crowd.recovered(people, on));
        if (people.room !== undefined) await counted(site, people.room, people.ears.length + STOPPED);
      },
      () => crowd.shown(),
    );
  });
}

test("200 clients SIGSTOP, then on", async () => {
  const [ours, theirs] = await Promise.allSettled([stopped(hubbub), stopped(socketio)]);
  report({ fault: "200 clients SIGSTOP, then on", often: "once, until they are not counted" }, ours, theirs);
});

const RETURNING = 5_000;
/** Hubbub uses its default limits here, except for this one: three replicas, nginx, Redis and all clients share one small
 * machine. */
const LIMITS = { HUBBUB_LIMITS: "on", HUBBUB_JOINS_PER_SECOND: "200" };

/** How often clients were told to wait, by code. */
function waited(crowds: Many[]): string {
  const codes = new Map<string, number>();
  for (const [code, times] of crowds.flatMap(({ status }) => Object.entries(status.refusals))) codes.set(code, (codes.get(code) ?? 0) + times);
  return [...codes].map(([code, times]) => `, ${times} × ${code}`).join("");
}

async function returning(side: Side): Promise<Played> {
  // Few messages, because each is five thousand deliveries. They bypass the proxy that is reloaded.
  const envOf = (): Record<string, string> => (side.name === "hubbub" ? LIMITS : {});
  return scene(side, { everyMs: 1_000, voicesPerReplica: 1, direct: true, envOf }, async ({ site, people, many }) => {
    const crowds = await Promise.all([0, 1].map((half) => many(RETURNING / 2, (half * RETURNING) / 2)));
    return judged(
      people,
      async ({ took, note }) => {
        const began = performance.now();
        await site.proxy.reload();
        await until("clients notice the reload", 20_000, () => crowds.every(({ status, count }) => status.joined < count / 2));
        await Promise.all(crowds.map((crowd) => crowd.joined(180_000)));
        took(performance.now() - began);
        note(side.name === "hubbub" ? `joined again${waited(crowds)}` : "connected again, there is nothing to join");
        expect(crowds.flatMap(({ status }) => status.refused)).toEqual([]);
      },
      async () => (await Promise.all(crowds.map((crowd) => crowd.shown()))).flat(),
    );
  });
}

test("5,000 clients return at once", async () => {
  // One after the other, because this test is about load.
  const [ours] = await Promise.allSettled([returning(hubbub)]);
  const [theirs] = await Promise.allSettled([returning(socketio)]);
  report({ fault: "5,000 clients return at once", often: "once" }, ours, theirs);
});
