// The colour of a pixel, as the browser paints it.

import { inflateSync } from "node:zlib";
import type { Page } from "@playwright/test";

/** The brightness of what is painted at a point of the viewport, from 0 (black) to 1 (white). */
export async function brightness(page: Page, x: number, y: number): Promise<number> {
  const png = await page.screenshot({ clip: { x, y, width: 1, height: 1 }, type: "png" });
  const data: Buffer[] = [];
  // After the signature of 8 bytes: chunks of length, type, data, checksum.
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  // One byte names the row's filter; a picture's first pixel is the same with each of them.
  const [, red = 0, green = 0, blue = 0] = inflateSync(Buffer.concat(data));
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
