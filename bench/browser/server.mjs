// A Hubbub server with its own port and data folder.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { sleep } from "./rows.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const binary = resolve(root, process.env.HUBBUB_BIN ?? "target/release/hubbub");
const site = resolve(root, process.env.HUBBUB_SITE_DIR ?? "target/site");
const START_MS = 20_000;
const STOP_MS = 10_000;

/** Servers to kill when this process ends, whatever happens to a measure. */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

export async function startServer() {
  if (!existsSync(binary)) throw new Error(`there is no server at ${binary}: run \`make build\`, or set HUBBUB_BIN`);
  const data = await mkdtemp(join(tmpdir(), "hubbub-bench-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(binary, {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, HUBBUB_ADDR: `127.0.0.1:${port}`, HUBBUB_DATA_DIR: data, HUBBUB_SITE_DIR: site, HUBBUB_LIMITS: "off" },
  });
  running.add(child);
  const ended = new Promise((done) => child.once("exit", done));
  ended.then(() => running.delete(child));
  for (const deadline = performance.now() + START_MS; ; await sleep(50)) {
    if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) break;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${binary} did not start in time`);
  }
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([ended, sleep(STOP_MS).then(() => child.kill("SIGKILL"))]);
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
}

export async function freePort() {
  const probe = createServer();
  await new Promise((ready) => probe.listen(0, "127.0.0.1", ready));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}
