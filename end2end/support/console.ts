// Whatever a page complains about in its console fails the test, unless the test causes it on purpose.

import type { BrowserContext } from "@playwright/test";

/** What browsers write while a server is away that the test has stopped, or while they are offline. */
export const WHILE_AWAY =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|ERR_SOCKET_NOT_CONNECTED|ERR_NETWORK_CHANGED|ERR_INCOMPLETE_CHUNKED_ENCODING|WebSocket connection to .* failed|status of (400|503)/;

/** What browsers write when the page itself is answered with this status. */
export const status = (code: number): RegExp => new RegExp(`the server responded with a status of ${code}`);

/** What a debug build of the page says to those who develop it. */
const DEBUG = /outside a reactive tracking context/;

/** Collects the complaints of every page of the contexts that it watches. */
export class Complaints {
  #seen: string[] = [];
  #allowed: RegExp[] = [DEBUG];

  /** From here on, complaints like this one are what the test wants. */
  allow(expected: RegExp): void {
    this.#allowed.push(expected);
  }

  watch(context: BrowserContext): void {
    context.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      const { url } = message.location();
      this.#add(`${message.type()}: ${message.text()}${url ? ` (${url})` : ""}`);
    });
    context.on("weberror", (error) => this.#add(`page error: ${error.error().stack ?? String(error.error())}`));
  }

  /** Everything that was complained about without being expected. */
  unexpected(): string[] {
    return this.#seen;
  }

  #add(complaint: string): void {
    if (!this.#allowed.some((expected) => expected.test(complaint))) this.#seen.push(complaint);
  }
}
