// Pixels that the browser paints.

import { inflateSync } from "node:zlib";
import type { Locator, Page } from "@playwright/test";

/** The brightness painted at a point of the viewport, from 0 (black) to 1 (white). */
export async function brightness(page: Page, x: number, y: number): Promise<number> {
  const [[red = 0, green = 0, blue = 0] = []] = pixels(await page.screenshot({ clip: { x, y, width: 1, height: 1 }, type: "png" }));
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** The share of an element whose colour differs from its upper left corner, from 0 to 1. */
export async function painted(element: Locator): Promise<number> {
  const all = pixels(await element.screenshot({ type: "png" }));
  const ground = all[0]?.join();
  return all.filter((pixel) => pixel.join() !== ground).length / all.length;
}

/** The pixels of a PNG with eight bits per channel, row by row. */
function pixels(png: Buffer): number[][] {
  const data: Buffer[] = [];
  // After the 8-byte signature: chunks of length, type, data and checksum.
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const bytes = inflateSync(Buffer.concat(data));
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  // Colour type 6 has an alpha channel, 2 has none.
  const size = png[25] === 6 ? 4 : 3;
  const row = width * size;
  const found: number[][] = [];
  let above: number[] = new Array<number>(row).fill(0);
  for (let y = 0; y < height; y += 1) {
    // A row begins with its filter type: what was subtracted from each byte.
    const start = y * (row + 1);
    const line: number[] = [];
    for (let x = 0; x < row; x += 1) {
      const [left, up, corner] = [line[x - size] ?? 0, above[x] ?? 0, x < size ? 0 : (above[x - size] ?? 0)];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][bytes[start] ?? 0] ?? 0;
      line.push(((bytes[start + 1 + x] ?? 0) + guess) & 255);
    }
    for (let x = 0; x < row; x += size) found.push(line.slice(x, x + 3));
    above = line;
  }
  return found;
}

/** The neighbour closest to left + up − corner, as PNG defines it. */
function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
