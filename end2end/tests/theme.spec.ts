// Light and dark, with and without JavaScript: as the system says, or as the person chose.

import type { Page } from "@playwright/test";

import { expect, test } from "../support/test.ts";

test("follows the system", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  const light = await brightness(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(() => brightness(page)).toBeLessThan(0.3);
  expect(light).toBeGreaterThan(0.8);
});

test("a chosen theme is right in the first byte", async ({ page, baseURL }) => {
  const answer = await page.request.post("/theme", { form: { theme: "dark", next: "/" }, maxRedirects: 0 });
  expect(answer.status()).toBe(303);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(baseURL ?? "/");
  await expect.poll(() => brightness(page)).toBeLessThan(0.3);
});

/** The brightness of what is painted behind the page's corner, 0 to 1. */
async function brightness(page: Page): Promise<number> {
  const corner = await page.screenshot({ clip: { x: 0, y: 400, width: 1, height: 1 }, type: "png" });
  // A picture of one pixel: let the browser decode it, outside the page and its policy.
  const probe = await page.context().browser()?.newPage();
  if (!probe) throw new Error("no browser");
  try {
    return await probe.evaluate(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = new OffscreenCanvas(1, 1).getContext("2d");
      canvas?.drawImage(image, 0, 0);
      const [r = 0, g = 0, b = 0] = canvas?.getImageData(0, 0, 1, 1).data ?? [];
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    }, `data:image/png;base64,${corner.toString("base64")}`);
  } finally {
    await probe.close();
  }
}
