// What a join costs the server, with either storage. Then thousands return at the same time, with the default rate and
// without a limit: how long it takes, and what a person who is already in the room notices.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

import { ChatClient, Refused } from "../support/client.ts";
import { resident } from "../support/memory.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { Server, root } from "../support/server.ts";
import { stores } from "../support/stores.ts";
import { expect, test } from "../support/test.ts";

const PEOPLE = Number(process.env["PEOPLE"] ?? 5_000);
const PER_ROOM = 100;
/** Limits per address are off, because all clients share this machine's address. */
const ONE_ADDRESS = {
  HUBBUB_ADDRESS_COMMANDS_PER_SECOND: "1000000",
  HUBBUB_ADDRESS_COMMAND_BURST: "1000000",
  HUBBUB_CONNECTIONS_PER_ADDRESS: "1000000",
};

interface Done {
  what: string;
  seconds: number;
  refusals: number;
}

class Crowd {
  readonly #child: ChildProcess;
  readonly #done: Done[] = [];

  constructor(url: string, rooms: string[]) {
    this.#child = fork(join(root, "end2end/measurements/joiners.mjs"), [url, `${PEOPLE}`, ...rooms]);
    this.#child.on("message", (done) => this.#done.push(done as Done));
  }

  async does(what: string): Promise<Done> {
    this.#done.length = 0;
    this.#child.send(what);
    await expect.poll(() => this.#done.length, { timeout: 180_000, intervals: [20] }).toBe(1);
    const [done] = this.#done;
    if (!done) throw new Error("the crowd reported nothing");
    return done;
  }

  dispose(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A person who talks while others join: the longest wait for an answer in milliseconds, and the number of refusals. */
async function meanwhile<T>(client: ChatClient, room: string, work: Promise<T>): Promise<[T, string]> {
  let [over, longest, refused] = [false, 0, 0];
  const talk = async (): Promise<void> => {
    while (!over) {
      const asked = performance.now();
      await client.send(room, "meanwhile").catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        refused += 1;
      });
      longest = Math.max(longest, performance.now() - asked);
      await new Promise((go) => setTimeout(go, 50));
    }
  };
  const talking = talk();
  const done = await work;
  over = true;
  await talking;
  return [done, `${longest.toFixed(0)} ms at most${refused > 0 ? ` and were refused ${refused} times` : ""}`];
}

for (const storage of ["the data folder", "PostgreSQL and Redis"]) {
  for (const rate of ["1000000", undefined]) {
    test(`${PEOPLE} joins and returns, ${storage}, ${rate === undefined ? "the default rate" : "no rate"}`, async () => {
      const shared = storage === "the data folder" ? undefined : await stores();
      const server = await Server.start({
        ...ONE_ADDRESS,
        ...(rate === undefined ? {} : { HUBBUB_JOINS_PER_SECOND: rate }),
        ...shared?.env,
      });
      const host = new ChatClient(server.url, { transports: ["websocket"] });
      let crowd: Crowd | undefined;
      try {
        await host.signIn("Host");
        const rooms: string[] = [];
        for (let n = 0; n < PEOPLE / PER_ROOM; n += 1) rooms.push(await roomWithLines(host, 60, freshTitle("Hall")));
        const own = await roomWithLines(host, 1);
        await host.join(own);
        const all = (crowd = new Crowd(server.url, rooms));
        await all.does("arrive");
        const cpu = await server.cpuSeconds();
        const [joined, waitJoin] = await meanwhile(host, own, all.does("join"));
        const cost = ((await server.cpuSeconds()) - cpu) / PEOPLE;
        await all.does("leave");
        await expect.poll(() => server.figure("hubbub_sockets"), { timeout: 30_000 }).toBe(1);
        const again = await server.cpuSeconds();
        const [returned, waitReturn] = await meanwhile(host, own, all.does("return"));
        const both = ((await server.cpuSeconds()) - again) / PEOPLE;
        console.log(
          `${storage}, ${rate ?? "default"}/s: ${PEOPLE} joins in ${joined.seconds.toFixed(1)} s, ${(cost * 1e6).toFixed(0)} µs of CPU each, others waited ${waitJoin}; ` +
            `connect and join in ${returned.seconds.toFixed(1)} s, ${(both * 1e6).toFixed(0)} µs each, others waited ${waitReturn}; ` +
            `at most ${Math.max(joined.refusals, returned.refusals)} refusals for one client; ${((await resident(server.pid)) / 1_048_576).toFixed(0)} MB`,
        );
      } finally {
        crowd?.dispose();
        host.close();
        await server.dispose();
        await shared?.dispose();
      }
    });
  }
}
