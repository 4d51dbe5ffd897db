// 300 clients emit as soon as they are connected, 20 times over, and every event is answered.

import { io, type Socket } from "socket.io-client";

import { ANSWER_MS } from "../support/client.ts";
import { PROTOCOL_VERSION, type Reply } from "../support/protocol.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const CLIENTS = 300;
const ROUNDS = 20;

test.use({ serverEnv: { HUBBUB_LIMITS: "off" } });

test(`${CLIENTS} clients emit at the moment of connecting, ${ROUNDS} times`, async ({ ownServer }) => {
  test.setTimeout(300_000);
  const started = performance.now();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const sockets: Socket[] = [];
    const answers = Array.from({ length: CLIENTS }, (_, i) => {
      const socket = io(`${ownServer.url}/chat`, {
        transports: ["websocket"],
        forceNew: true,
        reconnection: false,
        auth: { protocol: PROTOCOL_VERSION },
      });
      sockets.push(socket);
      const both = (): Promise<unknown>[] => [
        socket.timeout(ANSWER_MS).emitWithAck("sign_in", { name: `Person ${i}` }),
        socket.timeout(ANSWER_MS).emitWithAck("list_rooms", {}),
      ];
      const buffered = both();
      const onConnect = new Promise<Promise<unknown>[]>((go, fail) => {
        socket.once("connect", () => go(both()));
        socket.once("connect_error", fail);
      });
      return Promise.allSettled([...buffered, ...[0, 1].map((n) => onConnect.then((asked) => asked[n]))]);
    });
    const settled = (await Promise.all(answers)).flat();
    for (const socket of sockets) socket.disconnect();
    const unanswered = settled.filter(({ status }) => status === "rejected");
    expect(unanswered, `round ${round}`).toEqual([]);
    expect(settled).toHaveLength(CLIENTS * 4);
    const failed = settled.filter((one) => one.status === "fulfilled" && !isFine(one.value));
    expect(failed, `round ${round}`).toEqual([]);
  }
  const seconds = (performance.now() - started) / 1_000;
  console.log(`${ROUNDS} rounds of ${CLIENTS} clients, ${ROUNDS * CLIENTS * 4} commands answered, ${seconds.toFixed(1)} s`);
});

/** True for success, and for the refusal of a second `sign_in` on one connection. */
function isFine(answer: unknown): boolean {
  const reply = answer as Reply<unknown>;
  return reply.ok !== undefined || reply.error?.code === "bad_request";
}
