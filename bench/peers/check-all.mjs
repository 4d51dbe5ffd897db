// Starts each peer as the benchmark does, on free ports with its own Redis. Checks that all behave alike (check.mjs),
// stop within a second when told to, and leave no process behind: `node check-all.mjs [NAME …]`. $PEER_SOCKETIOXIDE
// overrides the Rust peer, which is otherwise in target/peers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { check, checkShared } from "./check.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const rust = process.env.PEER_SOCKETIOXIDE ?? here("../../target/peers/release/peer-socketioxide");
const node = (...rest) => ["node", here("rooms/server.mjs"), ...rest];
const websocket = [["websocket"]];
const everyWay = [["websocket"], ["polling"], ["polling", "websocket"]];

/** The first of `count` consecutive free ports. */
async function freePorts(count) {
  for (;;) {
    const first = 20000 + Math.floor(Math.random() * 10000);
    const servers = [];
    try {
      for (let port = first; port < first + count; port += 1) {
        const server = createServer().listen(port, "127.0.0.1");
        servers.push(server);
        await once(server, "listening");
      }
      return first;
    } catch {
      // Taken: try other ports.
    } finally {
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    }
  }
}

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts a program and waits for the line that says it is ready. */
async function start([program, ...args], says) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_ENV: "production" } });
  running.add(child);
  const ended = once(child, "exit").then(() => running.delete(child));
  const ready = new Promise((done) => createInterface({ input: child.stdout }).on("line", (line) => says(line) && done()));
  await Promise.race([ready, ended.then(() => assert.fail(`${program} ended before it was ready`))]);
  return { pid: child.pid, end: (signal) => (child.kill(signal), ended) };
}

const peer = (command) => start(command.map(String), (line) => line === "ready");

function children(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

function lives(pid) {
  try {
    // A zombie only waits for its parent.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function goneWithin(ms, pids, what) {
  for (const end = Date.now() + ms; pids.some(lives); ) {
    assert(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 10));
  }
}

const peers = {
  "Socket.IO, one process": async () => {
    const port = await freePorts(1);
    const one = await peer(node(port));
    await check([port], { transports: everyWay });
    await one.end("SIGTERM");
  },
  "Socket.IO, two workers": async (redis) => {
    let unanswered = 0;
    for (const signal of ["SIGTERM", "SIGKILL"]) {
      const port = await freePorts(3);
      const primary = await peer(node(port, 2, redis));
      const workers = children(primary.pid);
      assert.equal(workers.length, 2);
      // Each worker's own port, then the shared one.
      await check([port + 1, port + 2], { transports: websocket });
      for (const transports of everyWay) unanswered += await checkShared(port, transports);
      await primary.end(signal);
      await goneWithin(1000, workers, `workers still run after ${signal}`);
    }
    return `; at the shared port ${unanswered} connection attempts had to be repeated`;
  },
  "socketioxide, one process": async () => {
    const port = await freePorts(1);
    const one = await peer([rust, port]);
    await check([port], { transports: everyWay });
    await one.end("SIGTERM");
  },
  "socketioxide, two processes": async (redis) => {
    const port = await freePorts(2);
    const both = await Promise.all([peer([rust, port, redis]), peer([rust, port + 1, redis])]);
    await check([port, port + 1], { transports: everyWay });
    await Promise.all(both.map((each) => each.end("SIGTERM")));
  },
};

const chosen = process.argv.slice(2);
const port = await freePorts(1);
const redis = await start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""].map(String), (line) => line.includes("Ready to accept"));
for (const [name, run] of Object.entries(peers)) {
  if (chosen.length > 0 && !chosen.some((word) => name.includes(word))) continue;
  const began = Date.now();
  const remark = (await run(`redis://127.0.0.1:${port}`)) ?? "";
  console.log(`${name}: as agreed (${Date.now() - began} ms)${remark}`);
}
await redis.end("SIGTERM");
