// Single inputs that must do no harm, each to a fresh server with default limits.

import { Chat, ask, body, id, raw, sleep } from "./wire.mjs";

const EVE = "127.0.0.3";
const POLLING = "/socket.io/?EIO=4&transport=polling";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

const verdict = (ok, says) => ({ ok, says });
const header = (text, name) => new RegExp(`^${name}: (.*)\r$`, "im").exec(text.split("\r\n\r\n")[0])?.[1] ?? "";

async function eve(server) {
  const chat = await Chat.open(server.target, EVE);
  await chat.ask("sign_in", { name: "Eve" });
  return chat;
}

/** Sends these bytes. The server must answer with one of these statuses, or close the connection. */
function refused(what, bytes, statuses = [400]) {
  return {
    what,
    run: async ({ target }) => {
      const answer = await raw(target, EVE, typeof bytes === "function" ? bytes(target) : bytes);
      const kept = /immutable|max-age=[1-9]/i.test(header(answer.text, "cache-control"));
      const ok = !answer.hung && (statuses.includes(answer.status) || answer.text === "") && !(answer.status >= 400 && kept);
      return verdict(ok, answer.hung ? "hangs" : `${answer.status || "closed"}${kept ? ", cacheable" : ""}`);
    },
  };
}

const get = (path, headers = "") => (target) =>
  `GET ${path} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: close\r\n${headers}\r\n`;

export const probes = {
  "title": {
    what: "rooms titled `</title><meta http-equiv=refresh …>`, `</title><!--`, `</title><plaintext>`",
    run: async (server) => {
      const chat = await eve(server);
      const titles = ["</title><meta http-equiv=refresh content=0;url=//x.example>", "</title><!--", "</title><plaintext>"];
      const found = [];
      for (const [n, title] of titles.entries()) {
        const { ok } = await chat.ask("create_room", { title: `${title}${n}` });
        if (ok === undefined) continue;
        const page = body((await ask(server.target, EVE, "GET", `/rooms/${ok.room.room ?? ok.room}`)).text);
        if (page.includes("</title><")) {
          const after = page.slice(page.indexOf("</title><") + 8);
          if (/^<(meta http-equiv=refresh|!--[^>]*$|plaintext)/.test(after)) found.push(title);
        }
      }
      return verdict(found.length === 0, found.length === 0 ? "escaped" : `written as they are: ${found.length}`);
    },
  },
  "script from polling": {
    what: "`POST 40/(window.x=1),` and its answer as a script",
    run: async ({ target }) => {
      const sid = /"sid":"([^"]+)"/.exec((await ask(target, EVE, "GET", POLLING)).text)?.[1];
      await ask(target, EVE, "POST", `${POLLING}&sid=${sid}`, {}, "40/(window.x=1),");
      const answer = await ask(target, EVE, "GET", `${POLLING}&sid=${sid}`, {}, "", 3_000);
      const missing = ["x-content-type-options", "cross-origin-resource-policy", "cache-control", "content-security-policy"].filter(
        (name) => answer.status === 200 && header(answer.text, name) === "",
      );
      const echoed = answer.text.includes("(window.x=1)");
      return verdict(!echoed && missing.length === 0, `${echoed ? "echoed" : "not echoed"}${missing.length > 0 ? `, without ${missing.join(", ")}` : ""}`);
    },
  },
  "rebinding": refused("`Host: evil.example` (DNS rebinding)", "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", [421]),
  "path with %00": refused("a path with `%00`", get("/pkg/%00"), [400, 404]),
  "path with %7F": refused("a path with `%7F`", get("/pkg/%7F.js"), [400, 404]),
  "path part of 256 bytes": refused("a path with a part of 256 bytes", get(`/pkg/${"a".repeat(256)}.js`), [400, 404]),
  "wrong method": refused(
    "`DELETE /favicon.svg`",
    (target) => `DELETE /favicon.svg HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: close\r\n\r\n`,
    [404, 405],
  ),
  "wrong range": refused("`Range: bytes=9999999-`", get("/favicon.svg", "Range: bytes=9999999-\r\n"), [404, 416]),
  "two hosts": refused("two `Host` headers", get("/", "Host: other.example\r\n"), [400, 421]),
  "no host": refused("no `Host` header", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
  "chunked twice": refused(
    "`Transfer-Encoding: chunked, chunked`",
    (target) =>
      `POST /session HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: close\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
  ),
  "lobby stays": {
    what: "205 new rooms",
    run: async (server) => {
      const ada = await Chat.open(server.target, "127.0.0.2");
      await ada.ask("sign_in", { name: "Ada" });
      await ada.ask("join", { room: "lobby" });
      await ada.ask("send", { room: "lobby", messages: [{ client_id: id(), text: "here" }] });
      const chat = await eve(server);
      for (let n = 0; n < 205; n += 1) {
        const answer = await chat.ask("create_room", { title: `Room ${n}` });
        if (answer?.error?.code === "rate_limited") break;
      }
      const list = (await ada.ask("list_rooms", {}))?.ok?.rooms ?? [];
      return verdict(list.some(({ room }) => room === "lobby"), `${list.length} rooms, the lobby ${list.some(({ room }) => room === "lobby") ? "among them" : "not among them"}`);
    },
  },
  "names": {
    what: "names that cannot be told apart: `A\\u200bda`, `Ada\\u200d`, tag characters",
    run: async ({ target }) => {
      const taken = [];
      for (const name of ["A\u200bda", "Ada\u200d", "Ada\u{e0041}", "Ada\u034f"]) {
        const answer = await ask(target, EVE, "POST", "/session", FORM, `name=${encodeURIComponent(name)}`);
        const chat = await Chat.open(target, EVE);
        const signed = await chat.ask("sign_in", { name });
        chat.close();
        if (signed?.ok?.you?.name === name) taken.push(name);
        void answer;
      }
      return verdict(taken.length === 0, `${taken.length} of 4 taken as they are`);
    },
  },
  "everything answers": {
    what: "a quiet server",
    run: async (server) => {
      await sleep(100);
      const panics = await server.panics();
      return verdict(panics === 0 && (await ask(server.target, EVE, "GET", "/")).status === 200, `${panics} panics`);
    },
  },
};
