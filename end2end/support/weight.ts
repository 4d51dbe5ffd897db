// What a page costs on the wire.

import type { CDPSession, Page } from "@playwright/test";

export interface Transfer {
  url: string;
  kind: string;
  encoding: string;
  bytes: number;
}

/** Adds up what Chromium receives for a page: headers, compressed bodies, and the payloads of WebSockets. */
export class Weight {
  readonly transfers: Transfer[] = [];
  socketBytes = 0;

  private constructor(private readonly session: CDPSession) {}

  static async of(page: Page): Promise<Weight> {
    const weight = new Weight(await page.context().newCDPSession(page));
    await weight.#listen();
    return weight;
  }

  /** Bytes of the matching transfers, without WebSockets. */
  bytes(fits: (transfer: Transfer) => boolean = () => true): number {
    return this.transfers.filter(fits).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #listen(): Promise<void> {
    const open = new Map<string, Transfer>();
    this.session.on("Network.responseReceived", ({ requestId, response, type }) => {
      const encoding = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-encoding")?.[1];
      open.set(requestId, { url: response.url, kind: type, encoding: encoding ?? "none", bytes: 0 });
    });
    this.session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const transfer = open.get(requestId);
      if (transfer) this.transfers.push({ ...transfer, bytes: encodedDataLength });
    });
    this.session.on("Network.webSocketFrameReceived", ({ response }) => {
      this.socketBytes += response.payloadData.length;
    });
    await this.session.send("Network.enable");
  }
}
