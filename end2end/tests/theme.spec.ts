// Light and dark, with and without JavaScript: the system's choice or the person's.

import { brightness } from "../support/pixel.ts";
import { expect, test } from "../support/test.ts";

const [DARK, LIGHT] = [0.3, 0.8];

test("follows the system", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  expect(await brightness(page, 2, 400)).toBeGreaterThan(LIGHT);
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(() => brightness(page, 2, 400)).toBeLessThan(DARK);
});

test("a chosen theme is right in the first byte", async ({ page }) => {
  const answer = await page.request.post("/theme", { form: { theme: "dark", next: "/" }, maxRedirects: 0 });
  expect(answer.status()).toBe(303);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect.poll(() => brightness(page, 2, 400)).toBeLessThan(DARK);
});

test("the switch changes the theme, and a reload keeps it", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/rooms/lobby");
  const shown = page.locator("html");
  const before = await shown.getAttribute("data-theme");
  await page.getByRole("button", { name: /theme/i }).first().click();
  await expect(shown).not.toHaveAttribute("data-theme", before ?? "");
  const after = await shown.getAttribute("data-theme");
  await page.waitForLoadState("networkidle");
  await page.reload();
  await expect(shown).toHaveAttribute("data-theme", after ?? "");
});
