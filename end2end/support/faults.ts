// How a row of the fault matrix runs: the same fault happens to Hubbub and to its peer, each with its own processes,
// while people talk; then the checker judges. With Hubbub nothing may be lost, doubled or out of order.

import { expect, test } from "@playwright/test";

import { FINE, type Showed, type Verdict } from "./checker.ts";
import { type NotRun, type Outcome, outcome, record } from "./matrix.ts";
import { type PeopleOptions, type Side, type SideName, type SiteOptions, hubbub, socketio } from "./sides.ts";
import type { People, Site } from "./site.ts";
import type { Stores } from "./stores.ts";

/** An address in front of the proxy that people connect to. */
export interface Gateway {
  url: string;
  dispose(): Promise<void>;
}

export interface Row {
  fault: string;
  often: string;
  /** Why the fault does not apply to the peer, if so. */
  withoutPeer?: string;
  site?: SiteOptions;
  people?: PeopleOptions;
  /** Opens what stands between people and the proxy. */
  gateway?: (site: Site) => Promise<Gateway>;
}

/** What a fault measures. */
export interface Report {
  /** Waits until everything flows again; the table shows how long that took since `since` (performance.now). */
  recovered(since: number): Promise<void>;
  /** Records a recovery time in milliseconds that was measured otherwise. */
  took(ms: number): void;
  /** Adds a note to the table. */
  note(text: string): void;
}

export interface FaultContext extends Report {
  side: SideName;
  site: Site;
  people: People;
  gateway: Gateway | undefined;
}

export type Act = (stage: FaultContext) => Promise<void>;

export interface Played {
  outcome: Outcome;
  verdict: Verdict;
  refused: string[];
  unanswered: number;
}

/** Applies a fault to people who are already talking, and has the checker judge. */
export async function judged(people: People, act: (stage: Report) => Promise<void>, others?: () => Promise<Showed[]>): Promise<Played> {
  const [recovery, notes]: [number[], string[]] = [[], []];
  people.start();
  await people.flow();
  await act({
    recovered: async (since) => void recovery.push(await people.recovered(since)),
    took: (ms) => void recovery.push(ms),
    note: (text) => void notes.push(text),
  });
  await people.flow();
  const verdict = await people.settle(others);
  const { voices } = people;
  const sent = voices.reduce((sum, { sent: all }) => sum + all.length, 0);
  return {
    outcome: outcome(people.acknowledged(), verdict, recovery, voices.flatMap(({ waits }) => waits), notes.length > 0 ? notes.join("; ") : undefined),
    verdict,
    refused: voices.flatMap(({ refused }) => refused),
    unanswered: sent - people.acknowledged(),
  };
}

export async function play(side: Side, row: Row, act: Act): Promise<Played> {
  const site = await side.site(row.site);
  let [gateway, people]: [Gateway | undefined, People | undefined] = [undefined, undefined];
  try {
    gateway = await row.gateway?.(site);
    people = await side.people(site, { ...row.people, url: gateway?.url });
    const there = { side: side.name, site, people, gateway };
    return await judged(people, (stage) => act({ ...there, ...stage }));
  } catch (error) {
    throw error instanceof NotPossible ? error : told(side, site, error);
  } finally {
    people?.close();
    await Promise.all([gateway?.dispose(), site.dispose()]);
  }
}

/** The error, together with the replicas' logs. */
export function told({ name }: Side, { replicas }: Site, error: unknown): Error {
  const logs = replicas.map((replica, n) => `--- ${name}, replica ${n} on port ${replica.port}:\n${replica.log().slice(-4_000)}`);
  return new Error(`${name}: ${error instanceof Error ? error.stack : String(error)}\n${logs.join("\n")}`);
}

/** A failure is a result, too. */
function found(played: PromiseSettledResult<Played>): Outcome | NotRun {
  if (played.status === "fulfilled") return played.value.outcome;
  const reason = played.reason instanceof Error ? played.reason.message : String(played.reason);
  if (played.reason instanceof NotPossible) return { not_run: reason };
  return { not_run: `it did not finish: ${reason.split("\n")[0]?.replace(/^((Error|hubbub|socketio): )+/, "")}` };
}

/** This machine cannot cause the fault. */
export class NotPossible extends Error {}

/** One test for one row. */
export function faultRow(row: Row, act: Act): void {
  test(row.fault, async () => {
    const theirs = row.withoutPeer === undefined ? play(socketio, row, act) : Promise.reject(new NotPossible(row.withoutPeer));
    const [played, peer] = await Promise.allSettled([play(hubbub, row, act), theirs]);
    report(row, played, peer);
  });
}

/** A test for a row about what only Hubbub has. `share` opens what its replicas share. */
export function storesRow<S extends Stores>(
  row: Row & { withoutPeer: string },
  share: () => Promise<S>,
  act: (stage: FaultContext & { stores: S }) => Promise<void>,
): void {
  let opened: S | undefined;
  const site = { share: async () => (opened = await share()) };
  faultRow({ ...row, site }, async (stage) => {
    if (!opened) throw new Error("nothing is shared");
    await act({ ...stage, stores: opened });
  });
}

/** Records both results, and fails unless Hubbub's is perfect. The peer's may be anything. */
export function report(row: Pick<Row, "fault" | "often">, played: PromiseSettledResult<Played>, peer: PromiseSettledResult<Played>): void {
  const [ours, theirs] = [found(played), found(peer)];
  record(row.fault, row.often, { hubbub: ours, socketio: theirs });
  console.log(`${row.fault}\n  Hubbub    ${JSON.stringify(ours)}\n  Socket.IO ${JSON.stringify(theirs)}`);
  if (played.status === "rejected") {
    test.skip(played.reason instanceof NotPossible, String(played.reason));
    throw played.reason;
  }
  const { verdict, refused, unanswered } = played.value;
  expect(verdict, "nothing lost, doubled or out of order").toEqual(FINE);
  expect(refused, "no sender sees a failure").toEqual([]);
  expect(unanswered, "everything is acknowledged in the end").toBe(0);
}

export const seconds = (count: number): Promise<void> => new Promise((over) => setTimeout(over, count * 1_000));
