// One attacker in a process of its own: `node worker.mjs ROW HOST PORT FROM SECONDS`. What the server does about it
// goes to standard output, once for each kind.

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
// Whatever does not end by itself ends here.
setTimeout(() => process.exit(0), ends - began + 500);
await attacks[row].run(context).catch((error) => process.stderr.write(`${row}: ${error.stack}\n`));
process.exit(0);
