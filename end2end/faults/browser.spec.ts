// What a person types into a page survives, whatever happens to the page. Here every message that was on screen counts
// as acknowledged, because its author believes that it was sent.

import { RoomPage } from "../pages/room.ts";
import { type Showed, FINE, judge } from "../support/checker.ts";
import { WHILE_AWAY } from "../support/console.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { seconds } from "../support/faults.ts";
import { Listener } from "../support/load.ts";
import { type Outcome, outcome, record } from "../support/matrix.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";
import { until } from "../support/until.ts";

const NO_PAGE = "its example keeps nothing in the browser";
/** How long it may take until everything typed is sent, in milliseconds. */
const SAID_MS = 60_000;

test.use({ front: "nginx", replicaEnv: { HUBBUB_LIMITS: "off" } });

/** Ada's page behind a fault proxy, and a listener on another replica. */
interface Scene {
  ada: RoomPage;
  proxy: FaultProxy;
  heard: () => string[];
  /** Waits until everything typed is heard, and returns that time. */
  said: (typed: string[]) => Promise<number>;
  /** Checks what the page, the listener and the log show. */
  verdict: (typed: string[], recovery: number[]) => Promise<void>;
}

interface Fixtures {
  scene: (delayMs: number, fault: string, often: string) => Promise<Scene>;
}

const behind = test.extend<Fixtures>({
  scene: async ({ cluster, visitor, programOn, complaints }, use) => {
    complaints.allow(WHILE_AWAY);
    const proxies: FaultProxy[] = [];
    await use(async (delayMs, fault, often) => {
      const proxy = await FaultProxy.start(cluster.url, { delayMs });
      proxies.push(proxy);
      const host = await programOn(0, "Host");
      const { room } = await host.createRoom(freshTitle("Browser"));
      const texts = new Map<string, string>();
      const client = await programOn(1, "Listener");
      client.socket.on("events", ({ events }: { events: { client_id: string; text: string }[] }) => {
        for (const { client_id, text } of events) texts.set(client_id, text);
      });
      const listener = await Listener.start(client, room);
      const ada = new RoomPage(await visitor({ baseURL: proxy.url }));
      await ada.open(room);
      await ada.signIn("Ada");
      await ada.live("Ada");
      // The listener counts messages, not texts: the same text under two ids would appear twice.
      const heard = (): string[] => listener.received.events.flatMap(({ client_id }) => texts.get(client_id ?? "") ?? []);
      const said = async (typed: string[]): Promise<number> => {
        const all = new Set(typed);
        await until("everything typed is heard", SAID_MS, () => new Set(heard().filter((text) => all.has(text))).size === all.size);
        return performance.now();
      };
      const verdict = async (typed: string[], recovery: number[]): Promise<void> => {
        const unsent = ada.page.getByLabel(/^(Sending|Waiting to be sent)$/).filter({ visible: true });
        await expect(unsent).toHaveCount(0, { timeout: SAID_MS });
        const showed = (name: string, lines: (string | undefined)[]): Showed => ({ name, shown: lines.map((client_id) => ({ client_id })) });
        const log = (await host.log(room)).map(({ text }) => text);
      // After a burst, the page of a reader at the bottom holds only the latest messages. Scrolling up brings the rest.
      await ada.log.hover();
      await expect(async () => {
        await ada.page.mouse.wheel(0, -4_000);
        await expect(ada.said(typed[0] ?? "")).toBeInViewport({ timeout: 300 });
      }).toPass({ timeout: SAID_MS });
        const found = await judge(
          [{ name: "Ada", sent: typed, acknowledged: typed.map((text) => [text, undefined]) }],
          [showed("the log", log), showed("the listener", heard()), showed("Ada's page", await ada.lines(/typed-\d+/))],
        );
        const ours: Outcome = outcome(typed.length, found, recovery, []);
        record(fault, often, { hubbub: ours, socketio: { not_run: NO_PAGE } });
        console.log(`${fault}\n  Hubbub    ${JSON.stringify(ours)}`);
        expect(found).toEqual(FINE);
      };
      return { ada, proxy, heard, said, verdict };
    });
    for (const proxy of proxies) await proxy.dispose();
  },
});

const [RELOADS, EACH] = [5, 8];

behind("Tab reloaded while sending", async ({ scene }) => {
  // Slow answers, so that messages are in flight and waiting when the page goes away.
  const { ada, said, verdict } = await scene(150, "Tab reloaded while sending", `${RELOADS} times, ${EACH} messages before each`);
  const typed: string[] = [];
  const recovery: number[] = [];
  for (let round = 1; round <= RELOADS; round += 1) {
    for (let n = 1; n <= EACH; n += 1) {
      typed.push(`typed-${typed.length + 1}`);
      await ada.send(typed.at(-1) ?? "");
    }
    await expect(ada.said(typed.at(-1) ?? "")).toHaveCount(1);
    const gone = performance.now();
    await ada.page.reload();
    await ada.live("Ada");
    recovery.push((await said(typed)) - gone);
  }
  await verdict(typed, recovery);
});

const [MINUTES, TYPED] = [2, 100];

behind("Offline for 2 minutes, 100 messages typed", async ({ scene }) => {
  const { ada, proxy, said, verdict } = await scene(0, "Offline for 2 minutes, 100 messages typed", "once");
  const over = seconds(MINUTES * 60);
  await ada.page.context().setOffline(true);
  proxy.cut("up");
  proxy.cut("down");
  const typed: string[] = [];
  for (let n = 1; n <= TYPED; n += 1) {
    typed.push(`typed-${n}`);
    await ada.send(typed.at(-1) ?? "");
  }
  await expect(ada.said(typed.at(-1) ?? "")).toHaveCount(1);
  await over;
  proxy.drop();
  proxy.heal("up");
  proxy.heal("down");
  const back = performance.now();
  await ada.page.context().setOffline(false);
  const heard = await said(typed);
  await verdict(typed, [heard - back]);
});
