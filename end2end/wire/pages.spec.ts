// Many pages, a few at a time (1,000; 10,000 in `make soak`): every page is complete, whichever server threads render
// it.

import { Agent, get } from "node:http";

import { SOAK, counted, sized } from "../support/size.ts";
import { expect, testWithOwnServer as test } from "../support/test.ts";

const PAGES = sized(1_000, 10_000);
const AT_ONCE = 3;

test.use({ serverEnv: { HUBBUB_LIMITS: "off" } });

test(`${counted(PAGES)} pages, ${AT_ONCE} at a time`, SOAK, async ({ ownServer }) => {
  test.setTimeout(120_000);
  const agent = new Agent({ keepAlive: true });
  const page = (): Promise<string> =>
    new Promise((done) => {
      const request = get(`${ownServer.url}/rooms/lobby`, { agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (more: string) => (text += more));
        response.on("end", () => done(text));
      });
      request.on("error", (error) => done(String(error)));
    });
  let asked = 0;
  const wrong: string[] = [];
  const read = async (): Promise<void> => {
    while (asked < PAGES) {
      asked += 1;
      const text = await page();
      if (!text.includes("<title>Lobby · Hubbub</title>")) wrong.push(text.slice(0, 200));
      // An idle thread takes the next one over.
      await new Promise((go) => setTimeout(go, Math.random() * 3));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  agent.destroy();
  expect(wrong).toEqual([]);
});
