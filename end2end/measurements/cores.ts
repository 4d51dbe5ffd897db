// One process on one core, and on all: the cost of a delivery and of a stored message, and how many there are per
// second. The clients run in child processes, so that they are not the bottleneck if there are enough cores.

import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { ChatClient } from "../support/client.ts";
import { freshTitle } from "../support/seed.ts";
import { Server, root } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

const RECEIVERS = 100;
const MESSAGES = 20_000;
const BURST = 50;
const ROUNDS = 3;

interface Figures {
  seconds: number;
  cpu: number;
}

/** Receivers in their own process. `said` waits for "joined" (they are ready) or "done" (everything has arrived). */
function receivers(url: string, room: string, cores: string): { child: ChildProcess; said: (what: string) => Promise<void> } {
  const child = fork(join(root, "end2end/measurements/receivers.mjs"), [url, room, `${RECEIVERS}`, `${MESSAGES}`], {
    execPath: "/usr/bin/taskset",
    execArgv: ["-c", cores, process.execPath],
  });
  const heard = new Set<string>();
  child.on("message", (what) => heard.add(String(what)));
  return { child, said: async (what) => expect.poll(() => heard.has(what), { timeout: 120_000 }).toBe(true) };
}

async function measure(serverCores: string, clientCores: string): Promise<Figures> {
  const server = await Server.start({ HUBBUB_LIMITS: "off" }, serverCores);
  const sender = new ChatClient(server.url, { transports: ["websocket"] });
  try {
    await sender.signIn("Sender");
    const { room } = await sender.createRoom(freshTitle("Cores"));
    const { child, said } = receivers(server.url, room, clientCores);
    await said("joined");
    const [began, cpu] = [performance.now(), await server.cpuSeconds()];
    for (let sent = 0; sent < MESSAGES; sent += BURST) {
      const messages = Array.from({ length: BURST }, (_, i) => ({ client_id: `m${sent + i}`, text: `message ${sent + i} `.padEnd(200, "x") }));
      await sender.command("send", { room, messages });
    }
    await said("done");
    const figures = { seconds: (performance.now() - began) / 1_000, cpu: (await server.cpuSeconds()) - cpu };
    child.kill();
    return figures;
  } finally {
    sender.close();
    await server.dispose();
  }
}

test("one process on one core and on all", async () => {
  test.setTimeout(600_000);
  const cores = availableParallelism();
  const all = Array.from({ length: cores }, (_, n) => n).join(",");
  const ways = [["0", cores > 1 ? "1" : "0"], ["0,1", all], [all, all]].filter(([server], n, list) => list.findIndex(([other]) => other === server) === n) as [string, string][];
  console.log(`${cores} cores; ${RECEIVERS} receivers, ${MESSAGES} messages of 200 characters in bursts of ${BURST}; best of ${ROUNDS}, alternating`);
  const results = new Map<string, Figures[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [server, clients] of ways) results.set(server, [...(results.get(server) ?? []), await measure(server, clients)]);
  }
  for (const [server, figures] of results) {
    const best = figures.reduce((one, other) => (one.cpu < other.cpu ? one : other));
    const deliveries = RECEIVERS * MESSAGES;
    console.log(
      `server on core ${server}: ${Math.round(deliveries / best.seconds)} deliveries/s, ${((best.cpu / deliveries) * 1e6).toFixed(2)} µs of CPU per delivery, ` +
        `${Math.round(MESSAGES / best.seconds)} messages/s, ${((best.cpu / best.seconds) * 100).toFixed(0)} % CPU`,
    );
  }
});
