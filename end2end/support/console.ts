// Errors and warnings in a page's console fail the test, unless the test causes them on purpose.

import type { BrowserContext } from "@playwright/test";

/** What browsers log while the server is stopped, or while they are offline. */
export const WHILE_AWAY =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|ERR_SOCKET_NOT_CONNECTED|ERR_NETWORK_CHANGED|ERR_INCOMPLETE_CHUNKED_ENCODING|WebSocket connection to .* failed|status of (400|503)/;

/** What browsers log when the page itself has this status. */
export const status = (code: number): RegExp => new RegExp(`the server responded with a status of ${code}`);

/** What a debug build of the page tells its developers. */
const DEBUG = /outside a reactive tracking context/;

/** Collects the complaints of all pages in the contexts that it watches. */
export class Complaints {
  #seen: string[] = [];
  #allowed: RegExp[] = [DEBUG];

  /** From here on, the test expects complaints like this one. */
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

  /** All complaints that the test did not expect. */
  unexpected(): string[] {
    return this.#seen;
  }

  #add(complaint: string): void {
    if (!this.#allowed.some((expected) => expected.test(complaint))) this.#seen.push(complaint);
  }
}
