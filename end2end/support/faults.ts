// How a row of the fault matrix is played: the same fault happens to Hubbub and to its peer, each with its own
// processes, while people talk; then the checker is asked. Hubbub must have nothing lost, doubled or out of order.

import { FINE, type Verdict } from "./checker.ts";
import { type NotRun, type Outcome, outcome, record } from "./matrix.ts";
import { type PeopleOptions, type Side, type SideName, type SiteOptions, hubbub, socketio } from "./sides.ts";
import type { People, Site } from "./site.ts";
import { expect, test } from "./test.ts";

/** Where people go through, if not straight to the proxy. */
export interface Door {
  url: string;
  dispose(): Promise<void>;
}

export interface Row {
  fault: string;
  often: string;
  /** Why the fault means nothing to the peer, if so. */
  withoutPeer?: string;
  site?: SiteOptions;
  people?: PeopleOptions;
  /** What stands between people and the proxy. */
  door?: (site: Site, side: Side) => Promise<Door>;
}

export interface Stage {
  side: SideName;
  site: Site;
  people: People;
  door: Door | undefined;
  /** Waits until all is as before; what that took from `since` (performance.now) is in the table. */
  recovered(since: number): Promise<void>;
  /** Goes to the table too. */
  note(text: string): void;
}

export type Act = (stage: Stage) => Promise<void>;

interface Played {
  outcome: Outcome;
  verdict: Verdict;
  refused: string[];
  unanswered: number;
}

export async function play(side: Side, row: Row, act: Act): Promise<Played> {
  const site = await side.site(row.site);
  let [door, people]: [Door | undefined, People | undefined] = [undefined, undefined];
  try {
    door = await row.door?.(site, side);
    people = await side.people(site, { ...row.people, url: door?.url });
    const [recovery, notes]: [number[], string[]] = [[], []];
    const crowd = people;
    crowd.start();
    await crowd.flow();
    await act({
      side: side.name,
      site,
      people: crowd,
      door,
      recovered: async (since) => void recovery.push(await crowd.recovered(since)),
      note: (text) => notes.push(text),
    });
    await crowd.flow();
    const verdict = await crowd.settle();
    const sent = crowd.voices.reduce((sum, { sent: all }) => sum + all.length, 0);
    return {
      outcome: outcome(crowd.acknowledged(), verdict, recovery, crowd.voices.flatMap(({ waits }) => waits), notes.length > 0 ? notes.join("; ") : undefined),
      verdict,
      refused: crowd.voices.flatMap(({ refused }) => refused),
      unanswered: sent - crowd.acknowledged(),
    };
  } catch (error) {
    const logs = site.replicas.map(({ port, log }, n) => `--- ${side.name}, replica ${n} on port ${port}:\n${log.call(site.replicas[n]).slice(-4_000)}`);
    throw new Error(`${side.name}: ${error instanceof Error ? error.stack : String(error)}\n${logs.join("\n")}`);
  } finally {
    people?.close();
    await door?.dispose();
    await site.dispose();
  }
}

/** What the peer could not do is a result too. */
async function peerOutcome(played: Promise<Played>): Promise<Outcome | NotRun> {
  try {
    return (await played).outcome;
  } catch (error) {
    console.log(String(error));
    return { not_run: `it did not come to an end: ${String(error).split("\n")[0]?.replace(/^(Error: |socketio: )+/, "")}` };
  }
}

/** One test for one row. */
export function faultRow(row: Row, act: Act): void {
  test(row.fault, async () => {
    const ours = play(hubbub, row, act);
    const theirs: Promise<Outcome | NotRun> =
      row.withoutPeer === undefined ? peerOutcome(play(socketio, row, act)) : Promise.resolve({ not_run: row.withoutPeer });
    const [played, peer] = await Promise.allSettled([ours, theirs]);
    if (played.status === "rejected") throw played.reason;
    if (peer.status === "rejected") throw peer.reason;
    report(row, played.value, peer.value);
  });
}

/** Keeps what was found, and fails unless all is well. */
export function report(row: Pick<Row, "fault" | "often">, { outcome: found, verdict, refused, unanswered }: Played, peer: Outcome | NotRun): void {
  record(row.fault, row.often, { hubbub: found, socketio: peer });
  console.log(`${row.fault}\n  Hubbub    ${JSON.stringify(found)}\n  Socket.IO ${JSON.stringify(peer)}`);
  expect(verdict, "nothing lost, doubled or out of order").toEqual(FINE);
  expect(refused, "nobody is told that something was not sent").toEqual([]);
  expect(unanswered, "everything is acknowledged in the end").toBe(0);
}

export const seconds = (count: number): Promise<void> => new Promise((over) => setTimeout(over, count * 1_000));
