// Free ports.

import { createServer } from "node:net";

/** The system takes ports of outgoing connections from 32768 upwards. A stopped server could lose its port to one of
 * them, so servers use lower ports. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await free(port)) return port;
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST} in 100 tries`);
}

async function free(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once("error", () => answer(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => answer(true)));
  });
}
