// Rates apply to the address that a request really comes from, behind each of the proxies.

import { request } from "node:http";

import { PROXIES } from "../support/proxy.ts";
import { expect, test } from "../support/replicas.ts";

// This needs no shared storage, and a burst of two shows which address is counted.
test.use({
  shared: false,
  replicas: 1,
  replicaEnv: { HUBBUB_ADDRESS_COMMAND_BURST: "2", HUBBUB_ADDRESS_COMMANDS_PER_SECOND: "1" },
});

/** Signs in by form from this address of the machine. Resolves to true if it was accepted. */
async function signsIn(url: string, localAddress: string, headers: Record<string, string> = {}): Promise<boolean> {
  return new Promise((answer, failed) => {
    const form = request(`${url}/session`, {
      method: "POST",
      localAddress,
      agent: false,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });
    form.once("error", failed);
    form.once("response", (response) => {
      response.resume();
      answer((response.headers["set-cookie"] ?? []).some((cookie) => cookie.startsWith("hubbub_session=")));
    });
    form.end("name=Ada&next=%2F");
  });
}

for (const proxy of PROXIES) {
  test.describe(`through ${proxy}`, () => {
    test.use({ front: proxy });

    test("each address has its own rate, and cannot invent another one", async ({ cluster }) => {
      // Only the proxy's own address is trusted; people come from others.
      for (const person of ["127.0.0.2", "127.0.0.3"]) {
        expect([await signsIn(cluster.url, person), await signsIn(cluster.url, person)]).toEqual([true, true]);
        expect(await signsIn(cluster.url, person), "the third within a second").toBe(false);
        for (const claim of ["203.0.113.1", "127.0.0.1", "127.0.0.9, 203.0.113.1"]) {
          expect(await signsIn(cluster.url, person, { "x-forwarded-for": claim }), `claiming ${claim}`).toBe(false);
        }
      }
    });
  });
}
