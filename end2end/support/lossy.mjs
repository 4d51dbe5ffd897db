// Run by lossy.ts in a network namespace of its own: lossy.mjs PORT IN OUT. What comes to the socket IN goes over TCP
// through this namespace's loopback, which loses packets, and on to the socket OUT.

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
