// A program on the namespace `/`: it does what the public Socket.IO chat example's browser script does.

import { io, type Socket } from "socket.io-client";

import type { Told } from "./protocol.ts";
import { until } from "./until.ts";

/** `undefined` is the official client's default: polling first, then an upgrade. */
export type Transports = ("polling" | "websocket")[] | undefined;

export const TRANSPORTS: { name: string; transports: Transports }[] = [
  { name: "polling", transports: ["polling"] },
  { name: "websocket", transports: ["websocket"] },
  { name: "polling, then upgraded", transports: undefined },
];

const HEAR_MS = 15_000;

export class DemoClient {
  readonly socket: Socket;
  readonly told: Told[] = [];

  constructor(url: string, transports?: Transports, extraHeaders?: Record<string, string>) {
    this.socket = io(url, {
      forceNew: true,
      reconnection: false,
      ...(transports ? { transports } : {}),
      ...(extraHeaders ? { extraHeaders } : {}),
    });
    this.socket.onAny((event: string, ...args: unknown[]) => this.told.push({ event, args }));
  }

  emit(event: string, ...args: unknown[]): void {
    this.socket.emit(event, ...args);
  }

  /** Joins the chat as the example does, and returns the server's count. */
  async addUser(username: string): Promise<number> {
    this.emit("add user", username);
    return (await this.hears<{ numUsers: number }>("login")).numUsers;
  }

  /** Waits for an event with this name whose payload has all the given fields. */
  async hears<T extends object>(event: string, fields: Partial<T> = {}): Promise<T> {
    const fits = (payload: unknown): payload is T =>
      typeof payload === "object" &&
      payload !== null &&
      Object.entries(fields).every(([name, value]) => (payload as Record<string, unknown>)[name] === value);
    return until(
      `"${event}" came with ${JSON.stringify(fields)}; what came is ${JSON.stringify(this.told).slice(-2_000)}`,
      HEAR_MS,
      () => this.told.filter((told) => told.event === event).map(({ args }) => args[0]).find(fits),
    );
  }

  /** How many events with this name arrived. */
  count(event: string): number {
    return this.told.filter((told) => told.event === event).length;
  }

  close(): void {
    this.socket.disconnect();
  }
}
