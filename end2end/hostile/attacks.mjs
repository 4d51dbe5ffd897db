// The attacks: what each sends until its time is over. `said` reports how the server reacts: "cut" (it closed a
// connection), "refused" (it answered with an error), "slowed" (it stopped reading).

import { Chat, Ws, frame, hello, id, raw, request, sleep, tcp } from "./wire.mjs";

const POLLING = "/socket.io/?EIO=4&transport=polling";

/** Writes as fast as the connection accepts, without reading answers unless told to. */
async function pour(socket, bytes, { ends, said }) {
  socket.on("close", () => said("cut"));
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ends - Date.now()));
    const more = () => {
      for (let turn = 0; turn < 64; turn += 1) {
        if (socket.destroyed || Date.now() >= ends) return done();
        if (!socket.write(bytes)) {
          const stuck = setTimeout(() => said("slowed"), 500);
          return void socket.once("drain", () => {
            clearTimeout(stuck);
            setImmediate(more);
          });
        }
      }
      setImmediate(more);
    };
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.once("close", done);
    more();
  });
}

/** Pours again and again: reconnects at once after a cut. */
async function pourOver(make, bytes, context) {
  while (Date.now() < context.ends) {
    const ws = await opened(make());
    if (ws === undefined) {
      context.said("refused");
      await sleep(20);
    } else await pour(ws.socket, bytes, context);
  }
}

/** Resolves to the WebSocket once it is open, or undefined if it never opens. */
function opened(ws) {
  return new Promise((resolve) => {
    ws.onOpen = () => resolve(ws);
    ws.onClose = () => resolve(undefined);
  });
}

function many(count, each) {
  return Promise.all(Array.from({ length: count }, (_, n) => each(n)));
}

/** The token of one signed-in person per process. */
function token(context) {
  context.token ??= (async () => {
    while (Date.now() < context.ends) {
      const chat = await Chat.open(context.target, context.from).catch(() => undefined);
      const answer = await chat?.ask("sign_in", { name: "Eve" });
      chat?.close();
      if (answer?.ok !== undefined) return answer.ok.token;
      context.said("refused");
      await sleep(100);
    }
    return undefined;
  })();
  return context.token;
}

/** A connection of that person; undefined if the server allows none. */
async function person(context) {
  const known = await token(context);
  const chat = await Chat.open(context.target, context.from, { token: known }).catch(() => undefined);
  if (chat === undefined) {
    context.said("refused");
    await sleep(50);
  }
  return chat;
}

/** Sends a command and reports a refusal. */
async function ask(chat, said, name, data) {
  const answer = await chat.ask(name, data);
  if (answer === undefined) said("cut");
  else if (answer.error !== undefined) said("refused");
  return answer;
}

/** A polling session; undefined if the server allows none. */
async function session(target, from) {
  const answer = await raw(target, from, request(target, "GET", POLLING, { Connection: "close" }), 5_000);
  return /"sid":"([^"]+)"/.exec(answer.text)?.[1];
}

/** Pipelines requests on one connection, without waiting for answers. */
function pipeline(target, from, text, context) {
  const socket = tcp(target, from);
  socket.resume();
  const all = Buffer.from(text.repeat(50));
  return new Promise((resolve) => {
    socket.on("connect", () => resolve(pour(socket, all, context)));
    socket.on("close", resolve);
  });
}

async function pipelines(count, text, context) {
  await many(count, async () => {
    while (Date.now() < context.ends) {
      await pipeline(context.target, context.from, text, context);
      await sleep(5);
    }
  });
}

/** Reads a page so slowly that the server has to hold it. */
async function drip(path, perSecond, { target, from, ends, said }) {
  while (Date.now() < ends) {
    const socket = tcp(target, from);
    socket.on("close", () => said("cut"));
    socket.pause();
    socket.on("connect", () => socket.write(request(target, "GET", path)));
    while (Date.now() < ends && !socket.destroyed) {
      socket.read(Math.max(1, Math.round(perSecond / 2)));
      await sleep(500);
    }
    socket.destroy();
  }
}

/** Sends commands as fast as the connection accepts. Answers are read and dropped. */
async function flood(chat, name, data, { ends, said }) {
  chat.ws.onText = (text) => {
    if (text.includes('"rate_limited"') || text.includes('"busy"')) said("refused");
  };
  let n = 0;
  const bytes = () => frame(`42/chat,${(n += 1)}${JSON.stringify([name, data])}`);
  const socket = chat.ws.socket;
  socket.on("close", () => said("cut"));
  while (Date.now() < ends && !socket.destroyed) {
    const block = Buffer.concat(Array.from({ length: 64 }, bytes));
    if (!socket.write(block)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    await sleep(0);
  }
}

export const attacks = {
  "hostile messages": {
    what: "8 readers of a room with 50 messages `https://a` + `)` × 7,990",
    run: (context) =>
      many(8, async () => {
        while (Date.now() < context.ends) {
          const page = request(context.target, "GET", "/rooms/hostile", { Connection: "close" });
          const answer = await raw(context.target, context.from, page, 15_000);
          if (answer.status !== 200) context.said("refused");
        }
      }),
  },
  "slow readers": {
    what: "10 connections send `history {after: 0}` six times in a room with 500 messages of 8,000 four-byte characters, and read nothing",
    run: (context) =>
      many(10, async () => {
        while (Date.now() < context.ends) {
          const chat = await person(context);
          if (chat === undefined) continue;
          chat.ws.deaf();
          for (let n = 1; n <= 6; n += 1) chat.ws.send(`42/chat,${n}["history",{"room":"large","after":0}]`);
          while (Date.now() < context.ends && !chat.closed) {
            await sleep(50);
            // A paused stream does not notice the end of its connection, but writing does.
            chat.ws.send("3");
          }
          if (chat.closed) context.said("cut");
          chat.close();
        }
      }),
  },
  "history over polling": {
    what: "one POST with 40 `history {after: 0}` on each of 10 polling sessions, then no poll, only a pong every 2 s",
    run: (context) =>
      many(10, async () => {
        const { target, from, said, ends } = context;
        const sid = await session(target, from);
        if (sid === undefined) return void said("refused");
        const at = `${POLLING}&sid=${sid}`;
        const post = (text) => raw(target, from, request(target, "POST", at, { Connection: "close" }, text));
        await post(hello({ token: await token(context) }));
        const commands = Array.from({ length: 40 }, (_, n) => `42/chat,${n}["history",{"room":"large","after":0}]`);
        const answer = await post(commands.join("\x1e"));
        if (answer.status !== 200) said("refused");
        while (Date.now() < ends) {
          await sleep(2_000);
          if ((await post("3")).status !== 200) said("cut");
        }
      }),
  },
  "joins of unknown rooms, one address": {
    what: "300 connections of one address join rooms that do not exist, 50 each at a time",
    run: joinsOfUnknownRooms(300),
  },
  "joins of unknown rooms, seven addresses": {
    what: "the same, 43 connections of each of seven addresses",
    addresses: 7,
    run: joinsOfUnknownRooms(43),
  },
  "idle connections": {
    what: "three addresses × 1,000 idle connections, soft limit of 1,024 descriptors",
    addresses: 3,
    descriptors: 1_024,
    run: async ({ target, from, ends, said }) => {
      const sockets = [];
      for (let n = 0; n < 1_000 && Date.now() < ends; n += 1) {
        const socket = tcp(target, from);
        socket.resume();
        socket.on("close", () => Date.now() < ends && said("cut"));
        sockets.push(socket);
        if (n % 50 === 0) await sleep(5);
      }
      await sleep(ends - Date.now());
      for (const socket of sockets) socket.destroy();
    },
  },
  "repeated connects": {
    what: "endless `40/chat,` on four WebSockets",
    run: (context) =>
      many(4, () =>
        pourOver(() => new Ws(context.target, context.from), Buffer.concat(Array(200).fill(frame("40/chat,"))), context),
      ),
  },
  "handshakes": {
    what: "`GET /socket.io/?EIO=4&transport=polling` pipelined on four TCP connections",
    run: (context) => pipelines(4, request(context.target, "GET", POLLING), context),
  },
  "pings with unread pongs": {
    what: "WebSocket pings of 125 bytes on four connections that do not read the pongs",
    run: (context) =>
      many(4, () =>
        pourOver(
          () => {
            const ws = new Ws(context.target, context.from);
            ws.socket.once("data", () => ws.socket.pause());
            return ws;
          },
          Buffer.concat(Array(200).fill(frame(Buffer.alloc(125), 9))),
          context,
        ),
      ),
  },
  "pings read slowly": {
    what: "the same, reading 128 KB/s",
    run: (context) =>
      many(4, () =>
        pourOver(
          () => {
            const ws = new Ws(context.target, context.from);
            ws.socket.once("data", () => {
              ws.socket.pause();
              const timer = setInterval(() => ws.socket.read(12_800), 100);
              ws.socket.once("close", () => clearInterval(timer));
            });
            return ws;
          },
          Buffer.concat(Array(200).fill(frame(Buffer.alloc(125), 9))),
          context,
        ),
      ),
  },
  "page read in drips": {
    what: "400 readers of a page (50 messages of 8,000 four-byte characters) at 2 KB per 0.5 s",
    run: (context) => many(400, () => drip("/rooms/pages", 4_096, context)),
  },
  "page read slowly": {
    what: "100 readers of the same page at 16 KB/s",
    run: (context) => many(100, () => drip("/rooms/pages", 16_384, context)),
  },
  "polling listeners": {
    what: "1,000 polling sessions of `/` on one TCP connection, then 20 messages of 32 KB",
    run: async (context) => {
      const { target, from, ends, said } = context;
      const socket = tcp(target, from);
      const sids = new Set();
      let text = "";
      socket.on("close", () => Date.now() < ends && said("cut"));
      socket.on("data", (data) => {
        text = text.slice(-200) + data.toString("latin1");
        for (const [, sid] of text.matchAll(/"sid":"([^"]+)"/g)) sids.add(sid);
        if (text.includes("HTTP/1.1 4") || text.includes("HTTP/1.1 5")) said("refused");
      });
      await new Promise((resolve) => socket.on("connect", resolve).on("close", resolve));
      for (let n = 0; n < 1_000 && !socket.destroyed; n += 1) {
        socket.write(request(target, "GET", POLLING));
        if (n % 50 === 0) await sleep(5);
      }
      await sleep(500);
      for (const sid of sids) socket.write(request(target, "POST", `${POLLING}&sid=${sid}`, {}, "40"));
      await sleep(500);
      const chat = await person(context);
      const text32 = "😀".repeat(8_000);
      for (let n = 0; n < 20 && chat !== undefined && Date.now() < ends; n += 1)
        await ask(chat, said, "send", { room: "lobby", messages: [{ client_id: id(), text: text32 }] });
      await sleep(ends - Date.now());
    },
  },
  "targets without a path": {
    what: "endless `GET x HTTP/1.1` on four connections",
    run: (context) => pipelines(4, "GET x HTTP/1.1\r\nHost: x\r\n\r\n", context),
  },
  "pongs": controlFrames("endless pongs on four connections", frame("", 10)),
  "pings": controlFrames("endless pings on four connections, pongs read", frame("", 9)),
  "empty frames": controlFrames("endless empty text frames on four connections", frame("")),
  "events over the rate": {
    what: "events over the rate on four connections that reconnect at once when cut",
    run: (context) =>
      many(4, async () => {
        while (Date.now() < context.ends) {
          const chat = await person(context);
          if (chat !== undefined) await flood(chat, "typing", { room: "lobby", typing: true }, context);
        }
      }),
  },
  "pages": {
    what: "`GET /` pipelined on four connections",
    run: (context) => pipelines(4, request(context.target, "GET", "/"), context),
  },
  "pages with brotli": {
    what: "a room's page pipelined on four connections, compressed on the fly",
    run: (context) =>
      pipelines(4, request(context.target, "GET", "/rooms/pages", { "Accept-Encoding": "br" }), context),
  },
  "catch-up read quickly": {
    what: "endless `history {after: 0}` of the large room on four connections, answers read",
    run: (context) =>
      many(4, async () => {
        while (Date.now() < context.ends) {
          const chat = await person(context);
          if (chat !== undefined) await flood(chat, "history", { room: "large", after: 0 }, context);
        }
      }),
  },
  "large messages": {
    what: "messages of 32 KB on ten connections, each sent as soon as the last is answered",
    run: (context) =>
      many(10, async () => {
        const text = "😀".repeat(8_000);
        let chat = await person(context);
        while (Date.now() < context.ends) {
          if (chat === undefined || chat.closed) {
            chat = await person(context);
            continue;
          }
          const answer = await ask(chat, context.said, "send", {
            room: "lobby",
            messages: [{ client_id: id(), text }],
          });
          if (answer?.error !== undefined) await sleep(Math.min(answer.error.retry_after_ms ?? 100, 1_000));
        }
      }),
  },
  "sign-ins": {
    what: "endless `POST /session`, 16 at a time",
    run: (context) =>
      many(16, async () => {
        while (Date.now() < context.ends) {
          const headers = { "Content-Type": "application/x-www-form-urlencoded", Connection: "close" };
          const answer = await raw(
            context.target,
            context.from,
            request(context.target, "POST", "/session", headers, "name=Eve"),
          );
          if (!answer.text.toLowerCase().includes("set-cookie: hubbub_session=")) context.said("refused");
        }
      }),
  },
  "new rooms": {
    what: "endless new rooms on four connections",
    run: (context) =>
      many(4, async (n) => {
        let chat = await person(context);
        for (let room = 0; Date.now() < context.ends; room += 1) {
          if (chat === undefined || chat.closed) chat = await person(context);
          else await ask(chat, context.said, "create_room", { title: `Room ${process.pid} ${n} ${room}` });
        }
      }),
  },
  "a crowd of one": {
    what: "8,000 polling sessions on one TCP connection sign in and join the lobby",
    run: async (context) => {
      const { target, from, ends, said } = context;
      const socket = tcp(target, from);
      const known = new Set();
      let text = "";
      socket.on("close", () => Date.now() < ends && said("cut"));
      socket.on("data", (data) => {
        text = text.slice(-200) + data.toString("latin1");
        if (text.includes("HTTP/1.1 4") || text.includes("HTTP/1.1 5")) said("refused");
        for (const [, sid] of text.matchAll(/"sid":"([^"]+)"/g)) {
          if (known.has(sid)) continue;
          known.add(sid);
          const packets = [
            hello(),
            `42/chat,1["sign_in",{"name":"Eve ${known.size}"}]`,
            '42/chat,2["join",{"room":"lobby"}]',
          ];
          socket.write(request(target, "POST", `${POLLING}&sid=${sid}`, {}, packets.join("\x1e")));
        }
      });
      await new Promise((resolve) => socket.on("connect", resolve).on("close", resolve));
      for (let n = 0; n < 8_000 && Date.now() < ends && !socket.destroyed; n += 1) {
        socket.write(request(target, "GET", POLLING));
        if (n % 100 === 0) await sleep(5);
      }
      await sleep(ends - Date.now());
    },
  },
  "almost complete messages": {
    what: "900 connections, each with a message that lacks its last byte, and fragments without an end",
    run: async (context) => {
      const text = `42/chat,1["typing",{"room":"lobby","filler":"${"x".repeat(200_000)}"}]`;
      const whole = frame(text);
      await many(900, async (n) => {
        await sleep((n % 30) * 10);
        const ws = await opened(new Ws(context.target, context.from));
        if (ws === undefined) return void context.said("refused");
        ws.socket.on("close", () => Date.now() < context.ends && context.said("cut"));
        ws.send(hello());
        if (n % 2 === 0) ws.socket.write(whole.subarray(0, whole.length - 1));
        else ws.socket.write(frame(text, 1, false));
        await sleep(context.ends - Date.now());
        ws.close();
      });
    },
  },
  "bodies that never arrive": {
    what: "900 forms whose body never arrives",
    run: (context) =>
      many(900, async (n) => {
        await sleep((n % 30) * 10);
        const socket = tcp(context.target, context.from);
        socket.resume();
        socket.on("close", () => Date.now() < context.ends && context.said("cut"));
        const headers = { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": "1000" };
        const head = request(context.target, "GET", "/session", headers).replace("GET", "POST");
        socket.on("connect", () => socket.write(`${head}name=`));
        await sleep(context.ends - Date.now());
        socket.destroy();
      }),
  },
};

function controlFrames(what, bytes) {
  return {
    what,
    run: (context) => {
      const block = Buffer.concat(Array(2_000).fill(bytes));
      return many(4, () => pourOver(() => new Ws(context.target, context.from), block, context));
    },
  };
}

function joinsOfUnknownRooms(connections) {
  return (context) =>
    many(connections, async () => {
      while (Date.now() < context.ends) {
        const chat = await person(context);
        if (chat === undefined) continue;
        while (Date.now() < context.ends && !chat.closed) {
          const rooms = Array.from({ length: 50 }, (_, n) => ({ room: `unknown-${n}-${connections}` }));
          const answers = await Promise.all(rooms.map((room) => chat.ask("join", room)));
          if (answers.every((answer) => answer?.error?.code === "not_signed_in")) throw new Error("not signed in");
          if (answers.some((answer) => ["busy", "rate_limited"].includes(answer?.error?.code))) context.said("refused");
          if (chat.closed) context.said("cut");
        }
        chat.close();
      }
    });
}
