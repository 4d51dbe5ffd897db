// Run by lossy.ts in its own network namespace: lossy.mjs PORT IN OUT. Relays from the socket IN over TCP through this
// namespace's loopback, which loses packets, to the socket OUT.

import { connect, createServer } from "node:net";

const [port, from, to] = process.argv.slice(2);

function relay(listen, target) {
  createServer({ noDelay: true }, (one) => {
    const other = connect({ ...target, noDelay: true });
    for (const [a, b] of [[one, other], [other, one]]) {
      a.pipe(b);
      a.on("error", () => b.destroy());
      a.on("close", () => b.destroy());
    }
  }).listen(listen);
}

relay({ port: Number(port), host: "127.0.0.1" }, { path: to });
relay({ path: from }, { port: Number(port), host: "127.0.0.1" });
