// People and programs on different replicas share a room.

import type { Cluster } from "../support/cluster.ts";
import { ChatClient } from "../support/client.ts";
import { DemoClient, TRANSPORTS } from "../support/demo.ts";
import { COOKIE, PROXIES } from "../support/proxy.ts";
import { expect, test } from "../support/replicas.ts";
import { freshTitle } from "../support/seed.ts";

/** The header that directs a program to this replica. */
async function to(cluster: Cluster, replica: number): Promise<{ cookie: string }> {
  return { cookie: `${COOKIE}=${await cluster.proxy.cookie(replica)}` };
}

async function spread(cluster: Cluster): Promise<number[]> {
  return Promise.all(cluster.replicas.map((replica) => replica.figure("hubbub_sockets")));
}

for (const proxy of PROXIES) {
  test.describe(`through ${proxy}`, () => {
    test.use({ front: proxy });

    test("two people in browsers on two replicas chat", async ({ cluster, personOn, programOn }) => {
      const host = await programOn(2, "Host");
      const { room } = await host.createRoom(freshTitle());
      host.close();
      const ada = await personOn(0, "Ada", room);
      const grace = await personOn(1, "Grace", room);
      expect(await spread(cluster), "each is on their replica").toEqual([1, 1, 0]);
      for (const one of [ada, grace]) await expect(one.count(2).first()).toBeVisible();
      await expect(ada.people).toContainText("Grace");

      const typing = ada.page.getByText(/Grace is typing/i).filter({ visible: true });
      await grace.message.pressSequentially("hello");
      await expect(typing.first()).toBeVisible();
      await grace.message.press("Enter");
      await expect(ada.said("hello")).toHaveCount(1);
      await expect(typing).toHaveCount(0);
      await ada.send("hello yourself");
      await expect(grace.said("hello yourself")).toHaveCount(1);

      await grace.page.close();
      await expect(ada.count(1).first()).toBeVisible();
      await expect(ada.page.getByText(/Grace.*left/).first()).toBeVisible();
    });

    for (const { name, transports } of TRANSPORTS) {
      test(`programs on all replicas, over ${name}`, async ({ cluster }) => {
        const options = async (replica: number) => ({ extraHeaders: await to(cluster, replica), ...(transports ? { transports } : {}) });
        const programs: ChatClient[] = [];
        for (const replica of [0, 1, 2]) programs.push(new ChatClient(cluster.url, await options(replica)));
        for (const [n, program] of programs.entries()) await program.signIn(`Program ${n}`);
        const { room } = await (programs[0] as ChatClient).createRoom(freshTitle());
        for (const program of programs) await program.join(room);
        expect(await spread(cluster)).toEqual([1, 1, 1]);
        for (const [n, program] of programs.entries()) await program.send(room, `from ${n}`);
        const texts = ["from 0", "from 1", "from 2"];
        for (const program of programs) {
          await expect.poll(() => program.received(room).map(({ text }) => text)).toEqual(texts);
          expect((await program.roster(room)).here).toBe(3);
        }
        for (const program of programs) program.close();
      });

      test(`the public example's clients on all replicas, over ${name}`, async ({ cluster }) => {
        const demos: DemoClient[] = [];
        for (const replica of [0, 1, 2]) {
          const demo = new DemoClient(cluster.url, transports, await to(cluster, replica));
          expect(await demo.addUser(`Guest ${replica}`), "numUsers").toBe(replica + 1);
          demos.push(demo);
        }
        const [one, two, three] = demos as [DemoClient, DemoClient, DemoClient];
        expect(await spread(cluster)).toEqual([1, 1, 1]);
        expect(await one.hears("user joined", { username: "Guest 2" })).toEqual({ username: "Guest 2", numUsers: 3 });
        three.emit("typing");
        expect(await one.hears("typing")).toEqual({ username: "Guest 2" });
        three.emit("new message", "hello");
        for (const demo of [one, two]) expect(await demo.hears("new message")).toEqual({ username: "Guest 2", message: "hello" });
        three.close();
        for (const demo of [one, two]) expect(await demo.hears("user left")).toEqual({ username: "Guest 2", numUsers: 2 });
        for (const demo of demos) demo.close();
      });
    }
  });
}
