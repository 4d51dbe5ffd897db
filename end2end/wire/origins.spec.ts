// A page of another origin that HUBBUB_ORIGINS names uses the official client with its defaults; a page of any other
// origin is refused. Two ports are two origins.

import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";

import { freePort } from "../support/port.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

/** A site with one page, which loads the client from Hubbub and follows the public chat example's contract. */
async function site(hubbub: string, port: number): Promise<HttpServer> {
  const page = `<!DOCTYPE html><title>elsewhere</title><ul id="messages"></ul>
    <script src="${hubbub}/socket.io/socket.io.min.js"></script>
    <script>
      const socket = io("${hubbub}", { withCredentials: true, extraHeaders: { "x-from": "elsewhere" } });
      const note = (text) => document.getElementById("messages").appendChild(document.createElement("li")).textContent = text;
      socket.io.on("open", () => note("opened by " + socket.io.engine.transport.name));
      socket.on("connect", () => { note("connected"); socket.emit("add user", "Elsewhere"); });
      socket.io.engine.on("upgrade", (transport) => note("upgraded to " + transport.name));
      socket.on("connect_error", () => note("refused"));
      socket.on("login", () => note("logged in"));
    </script>`;
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return server;
}

test("a page of an allowed origin connects by polling first; another is refused", async ({ browser }) => {
  const [allowed, other] = [await freePort(), await freePort()];
  const hubbub = await Server.start({ HUBBUB_ORIGINS: `http://127.0.0.1:${allowed}` });
  const sites = [await site(hubbub.url, allowed), await site(hubbub.url, other)];
  try {
    const [friend, stranger] = [await browser.newPage(), await browser.newPage()];
    await friend.goto(`http://127.0.0.1:${(sites[0]?.address() as AddressInfo).port}/`);
    await expect(friend.getByRole("listitem").filter({ hasText: "opened by polling" })).toHaveCount(1);
    await expect(friend.getByRole("listitem").filter({ hasText: "logged in" })).toHaveCount(1);
    await expect(friend.getByRole("listitem").filter({ hasText: "upgraded to websocket" })).toHaveCount(1);
    await stranger.goto(`http://127.0.0.1:${other}/`);
    await expect(stranger.getByRole("listitem").filter({ hasText: "refused" }).first()).toBeVisible();
    await expect(stranger.getByText("connected")).toHaveCount(0);
  } finally {
    for (const each of sites) each.close();
    await hubbub.dispose();
  }
});
