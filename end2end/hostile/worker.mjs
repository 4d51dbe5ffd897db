// One attacker in its own process: `node worker.mjs ROW HOST PORT FROM SECONDS`. Prints the server's reactions, each
// kind once.

import { attacks } from "./attacks.mjs";

const [, , row, host, port, from, seconds] = process.argv;
const began = Date.now();
const ends = began + Number(seconds) * 1_000;
const known = new Set();
const context = {
  target: { host, port: Number(port) },
  from,
  ends,
  said(kind) {
    if (known.has(kind) || Date.now() > ends) return;
    known.add(kind);
    process.stdout.write(`${JSON.stringify({ kind, after: Date.now() - began })}\n`);
  },
};
// Ends an attack that does not end by itself.
setTimeout(() => process.exit(0), ends - began + 500);
await attacks[row].run(context).catch((error) => process.stderr.write(`${row}: ${error.stack}\n`));
process.exit(0);
