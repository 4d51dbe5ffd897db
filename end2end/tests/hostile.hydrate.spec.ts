// Hostile text that arrives live is shown as written.

import { HOSTILE, HOSTILE_MESSAGES, SHOWN_MESSAGES, expectUnhurt } from "../support/hostile.ts";
import { freshTitle } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("messages and names that arrive live stay text", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const reader = await person("Reader", room);
  for (const text of HOSTILE_MESSAGES) await host.send(room, text);
  await expect(reader.messages).toHaveCount(HOSTILE_MESSAGES.length);
  const shown = await reader.messages.locator(".text").evaluateAll((texts) => texts.map((text) => text.textContent));
  expect(shown).toEqual(SHOWN_MESSAGES);
  for (const text of HOSTILE.slice(0, 6)) {
    const name = [...text].slice(0, 32).join("").trim();
    const guest = await program(name);
    await guest.join(room);
    await expect(reader.people).toContainText(name);
  }
  await expectUnhurt(reader.page);
});

test("a title stays text when the browser sets it", async ({ person, program, page }) => {
  const host = await program("Host");
  const title = `</title><plaintext> ${freshTitle("x").slice(-20)}`;
  const { room } = await host.createRoom(title);
  const reader = await person("Reader", room);
  await expect(reader.page).toHaveTitle(`${title} · Hubbub`);
  await page.goto("/");
  await page.getByRole("link", { name: title }).click();
  await expect(page).toHaveTitle(`${title} · Hubbub`);
  await expectUnhurt(page);
});
