// The server under attack: the real binary with default limits, on a free port, with its own data folder.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { Chat, ask, id, sleep } from "./wire.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = resolve(root, process.env.HUBBUB_BIN ?? "target/release/hubbub");
const site = resolve(root, process.env.HUBBUB_SITE_DIR ?? "target/site");

/** The server runs on the first core; attackers and honest clients on the others, if there are any. */
export const cores = {
  server: "0",
  others: cpus().length > 1 ? `1-${cpus().length - 1}` : "0",
};

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Server {
  /** Starts a server, on a copy of the data folder `from` if there is one. */
  static async start({ from, env = {}, descriptors = 20_000 } = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "hubbub-hostile-"));
    server.data = join(server.folder, "data");
    if (from !== undefined) cpSync(from, server.data, { recursive: true });
    server.target = { host: "127.0.0.1", port: await freePort() };
    server.logPath = join(server.folder, "log");
    const log = openSync(server.logPath, "w");
    const script = `ulimit -S -n ${descriptors}; exec taskset -c ${cores.server} "$0"`;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("HUBBUB_"));
    server.child = spawn("bash", ["-c", script, binary], {
      cwd: root,
      stdio: ["ignore", "ignore", log],
      env: {
        ...Object.fromEntries(own),
        HUBBUB_ADDR: `127.0.0.1:${server.target.port}`,
        HUBBUB_DATA_DIR: server.data,
        HUBBUB_SITE_DIR: site,
        ...env,
      },
    });
    server.ended = new Promise((done) => server.child.on("exit", (code, signal) => done(code ?? signal)));
    const began = Date.now();
    while ((await ask(server.target, "127.0.0.1", "GET", "/readyz", {}, "", 2_000)).status !== 200) {
      if (Date.now() - began > 30_000 || server.child.exitCode !== null)
        throw new Error(`the server does not start: ${server.log()}`);
      await sleep(50);
    }
    return server;
  }

  log() {
    return readFileSync(this.logPath, "utf8");
  }

  /** Resident memory in bytes. */
  memory() {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024;
    } catch {
      return 0;
    }
  }

  /** The number of panics: the higher of the metric and the log's count. */
  async panics() {
    const { text } = await ask(this.target, "127.0.0.2", "GET", "/metrics", {}, "", 5_000);
    const counted = Number(/^hubbub_panics_total (\d+)/m.exec(text)?.[1] ?? 0);
    return Math.max(counted, (this.log().match(/ a panic |panicked at/g) ?? []).length);
  }

  /** Stops the server and removes its folder, unless `keepData`. `hard` kills it. */
  async stop({ keepData = false, hard = false } = {}) {
    if (this.child.exitCode === null) process.kill(this.child.pid, hard ? "SIGKILL" : "SIGTERM");
    const late = setTimeout(() => this.child.kill("SIGKILL"), 12_000);
    await this.ended;
    clearTimeout(late);
    if (!keepData) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Creates a data folder with the rooms that the attacks use. */
export async function prepareRooms() {
  const server = await Server.start({ env: { HUBBUB_LIMITS: "off" } });
  const chat = await Chat.open(server.target, "127.0.0.1");
  const must = async (name, data) => {
    for (;;) {
      const answer = await chat.ask(name, data);
      if (answer?.ok !== undefined) return answer.ok;
      if (answer?.error?.retry_after_ms === undefined)
        throw new Error(`cannot prepare the rooms: ${name}: ${JSON.stringify(answer)}`);
      await sleep(answer.error.retry_after_ms);
    }
  };
  await must("sign_in", { name: "Host" });
  const large = "😀".repeat(8_000);
  const brackets = `https://a${")".repeat(7_990)}`;
  for (const [title, count, text] of [
    ["Large", 500, large],
    ["Pages", 50, large],
    ["Hostile", 50, brackets],
  ]) {
    await must("create_room", { title });
    const room = title.toLowerCase();
    for (let n = 0; n < count; n += 1) await must("send", { room, messages: [{ client_id: id(), text }] });
  }
  chat.close();
  await server.stop({ keepData: true });
  return { data: server.data, remove: () => rmSync(server.folder, { recursive: true, force: true }) };
}

/** The commit of the working tree. */
export function commit() {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
