// Faults of a TCP connection: silence in one direction without closing, delay, lost acknowledgements, and resets.
// Stands in front of one address and changes nothing else.

import { type NetConnectOpts, type Server as Listening, type Socket, connect, createServer } from "node:net";

import { freePort } from "./port.ts";

/** From the client to the server, or back. */
export type Direction = "up" | "down";

/** Receives what passes and returns what to pass on. One per connection. */
export type Filter = (data: Buffer) => Buffer;

interface Options {
  /** A socket path to listen on, instead of a port. */
  path?: string;
  /** Delay in milliseconds, each way. */
  delayMs?: number;
  /** Filters what the server sends. */
  down?: () => Filter;
}

interface Flow {
  from: Socket;
  direction: Direction;
}

export class FaultProxy {
  readonly #flows = new Set<Flow>();
  readonly #silent = new Set<Direction>();
  readonly #listening: Listening;

  private constructor(
    private target: NetConnectOpts,
    readonly port: number,
    private readonly options: Options,
  ) {
    this.#listening = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connected(client));
  }

  /** `target` is `http://127.0.0.1:3000`, or a path. */
  static async start(target: string, options: Options = {}): Promise<FaultProxy> {
    const port = options.path === undefined ? await freePort() : 0;
    const proxy = new FaultProxy(address(target), port, options);
    await new Promise<void>((listening, failed) => {
      proxy.#listening.once("error", failed);
      if (options.path === undefined) proxy.#listening.listen(port, "127.0.0.1", listening);
      else proxy.#listening.listen(options.path, listening);
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** New connections lead to another target; existing ones stay. */
  point(target: string): void {
    this.target = address(target);
  }

  /** Nothing passes in this direction, and neither side is told. Bytes wait, as in a network that will retry. */
  cut(direction: Direction): void {
    this.#silent.add(direction);
    for (const flow of this.#flows) if (flow.direction === direction) flow.from.pause();
  }

  heal(direction: Direction): void {
    this.#silent.delete(direction);
    for (const flow of this.#flows) if (flow.direction === direction) flow.from.resume();
  }

  /** Nothing passes on existing connections, either way, and neither side is told. New ones work. */
  rot(): void {
    for (const { from } of this.#flows) {
      from.removeAllListeners("data");
      from.resume();
    }
  }

  /** Ends all connections at once. Returns how many there were. */
  drop(): number {
    const flows = [...this.#flows];
    // Only TCP has resets.
    for (const { from } of flows) from.remoteAddress === undefined ? from.destroy() : from.resetAndDestroy();
    return flows.length / 2;
  }

  async dispose(): Promise<void> {
    const closed = new Promise((done) => this.#listening.close(done));
    this.drop();
    await closed;
  }

  #connected(client: Socket): void {
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true } as NetConnectOpts);
    this.#pass(client, server, "up", undefined);
    this.#pass(server, client, "down", this.options.down?.());
  }

  #pass(from: Socket, to: Socket, direction: Direction, filter: Filter | undefined): void {
    const flow = { from, direction };
    this.#flows.add(flow);
    const later = (act: () => void): unknown => (this.options.delayMs ? setTimeout(act, this.options.delayMs) : act());
    from.on("data", (data: Buffer) => {
      const passed = filter ? filter(data) : data;
      later(() => {
        if (to.writable && passed.length > 0 && !to.write(passed)) {
          from.pause();
          to.once("drain", () => this.#silent.has(direction) || from.resume());
        }
      });
    });
    from.on("end", () => later(() => to.end()));
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#flows.delete(flow);
      later(() => to.destroy());
    });
    if (this.#silent.has(direction)) from.pause();
  }
}

function address(target: string): NetConnectOpts {
  return target.startsWith("/") ? { path: target } : { host: new URL(target).hostname, port: Number(new URL(target).port) };
}

/**
 * Drops Socket.IO acknowledgements (`43…` packets) that a server sends over WebSocket; `when` decides about each.
 * Expects whole frames, neither masked nor compressed, as servers send them here.
 */
export function withoutAcks(when: () => boolean): () => Filter {
  return () => {
    let rest = Buffer.alloc(0);
    let upgraded = false;
    return (data) => {
      rest = Buffer.concat([rest, data]);
      const out: Buffer[] = [];
      if (!upgraded) {
        const head = rest.indexOf("\r\n\r\n");
        if (head < 0) return Buffer.alloc(0);
        if (!rest.subarray(0, head).toString("latin1").startsWith("HTTP/1.1 101")) {
          // Not a WebSocket: passed on unseen. The next answer on this connection may be one.
          const all = rest;
          rest = Buffer.alloc(0);
          return all;
        }
        upgraded = true;
        out.push(rest.subarray(0, head + 4));
        rest = rest.subarray(head + 4);
      }
      for (;;) {
        const length = frameLength(rest);
        if (length === undefined || rest.length < length.head + length.body) return Buffer.concat(out);
        const frame = rest.subarray(0, length.head + length.body);
        rest = rest.subarray(frame.length);
        const isAck = (frame[0] ?? 0) === 0x81 && frame.subarray(length.head, length.head + 2).toString("latin1") === "43";
        if (!(isAck && when())) out.push(frame);
      }
    };
  };
}

/** The header's and the payload's length of the WebSocket frame that begins here. */
function frameLength(data: Buffer): { head: number; body: number } | undefined {
  if (data.length < 2) return undefined;
  const short = (data[1] ?? 0) & 0x7f;
  if (short < 126) return { head: 2, body: short };
  if (short === 126) return data.length < 4 ? undefined : { head: 4, body: data.readUInt16BE(2) };
  return data.length < 10 ? undefined : { head: 10, body: Number(data.readBigUInt64BE(2)) };
}

/** Random numbers in [0, 1) from a seed: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
