// A network that breaks WebSockets in one of several ways; everything else passes.

import { type Server as Listening, type Socket, connect, createServer } from "node:net";

import { freePort } from "./port.ts";

/**
 * `silent`: the upgrade is never answered. `cut`: the connection ends right after the handshake. `swallow`: the
 * handshake passes, and nothing after it. `open`: the server's first frame passes, and nothing after it.
 */
export type Way = "silent" | "cut" | "swallow" | "open";

export class WebSocketProxy {
  readonly #sockets = new Set<Socket>();
  readonly #listening: Listening;
  /** How many upgrades were requested. */
  upgrades = 0;

  private constructor(
    private readonly way: Way,
    private readonly target: number,
    private readonly port: number,
  ) {
    this.#listening = createServer({ noDelay: true }, (client) => this.#connected(client));
  }

  static async start(way: Way, target: string): Promise<WebSocketProxy> {
    const proxy = new WebSocketProxy(way, Number(new URL(target).port), await freePort());
    await new Promise<void>((listening) => proxy.#listening.listen(proxy.port, "127.0.0.1", listening));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async dispose(): Promise<void> {
    const closed = new Promise((done) => this.#listening.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(client: Socket): void {
    const server = connect({ host: "127.0.0.1", port: this.target, noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.on("close", () => server.destroy());
    let upgraded = false;
    // A network that never answers does not close either.
    server.on("close", () => (upgraded && this.way === "silent") || client.destroy());
    client.on("data", (data: Buffer) => {
      // Browsers request an upgrade on a separate connection.
      if (/^GET [^\r\n]*transport=websocket/.test(data.toString("latin1"))) {
        upgraded = true;
        this.upgrades += 1;
        if (this.way !== "silent") server.write(data);
      } else if (!upgraded) {
        server.write(data);
      }
    });
    let frames = -1;
    server.on("data", (data: Buffer) => {
      if (!upgraded) return client.write(data);
      frames += 1;
      const head = frames === 0 ? data.subarray(0, data.indexOf("\r\n\r\n") + 4) : Buffer.alloc(0);
      if (this.way === "open" && frames <= 1) return client.write(data);
      client.write(head);
      if (this.way === "cut") client.end();
      return true;
    });
  }
}
