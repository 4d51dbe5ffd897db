// What others do to messages shows at once, and no other line is rendered again.

import type { Locator } from "@playwright/test";

import { bearer, post } from "../support/api.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

/** Watches the log. The returned function gives the lines that changed since it was last called, by their ids. */
async function watch(log: Locator): Promise<() => Promise<string[]>> {
  await log.evaluate((log) => {
    const changed = new Set<string>();
    const observer = new MutationObserver((records) => {
      for (const { target } of records) {
        const element = target instanceof Element ? target : target.parentElement;
        changed.add(element?.closest("article")?.id ?? "the list");
      }
    });
    const attributeFilter = ["class", "id", "aria-label", "href", "title", "dir"];
    observer.observe(log, { attributeFilter, characterData: true, childList: true, subtree: true });
    Object.assign(window, {
      changedLines: () => {
        const lines = [...changed].sort();
        changed.clear();
        return lines;
      },
    });
  });
  return () => log.page().evaluate(() => (window as unknown as { changedLines(): string[] }).changedLines());
}

test("edits, reactions, deletions and replies of others show at once, each in its own line", async ({ baseURL, person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 6);
  const bob = await program("Bob");
  const ada = await person("Ada", room);
  const line = (seq: number): Locator => ada.page.locator(`#m${seq}`);
  await expect(line(6)).toBeVisible();
  await line(5).evaluate((line) => line.setAttribute("data-kept", ""));
  const changed = await watch(ada.log);

  await host.write("edit", room, { of: 2, text: "line two, corrected" });
  await expect(line(2).getByText("line two, corrected")).toBeVisible();
  await expect(line(2).getByRole("img", { name: /^Edited at \d\d:\d\d$/ })).toHaveText("edited");
  expect(await changed()).toEqual(["m2"]);

  for (const who of [host, bob]) await who.write("react", room, { to: 3, emoji: "👍", on: true });
  await expect(line(3).getByRole("img", { name: "👍, 2 people" })).toHaveText("👍 2");
  expect(await changed()).toEqual(["m3"]);
  await bob.write("react", room, { to: 3, emoji: "👍", on: false });
  await expect(line(3).getByRole("img", { name: "👍, 1 person" })).toHaveText("👍 1");
  await host.write("react", room, { to: 3, emoji: "👍", on: false });
  await expect(line(3).getByRole("img")).toHaveCount(0);
  expect(await changed()).toEqual(["m3"]);

  await bob.reply(room, 4, "I agree");
  const reply = ada.messages.filter({ hasText: "I agree" });
  const quote = reply.getByRole("link", { name: "Host: line 4" });
  await expect(quote).toBeVisible();
  await changed();
  // The quote follows the message.
  await host.write("edit", room, { of: 4, text: "line four" });
  await expect(reply.getByRole("link", { name: "Host: line four" })).toBeVisible();
  expect(await changed()).toEqual([await reply.getAttribute("id"), "m4"].sort());

  const { status } = await post(baseURL ?? "", "delete", { room, client_id: "delete-4", of: 4 }, bearer(host.token));
  expect(status).toBe(200);
  await expect(line(4).getByText("Message deleted")).toBeVisible();
  await expect(line(4)).not.toContainText("line four");
  await expect(line(4).getByRole("img")).toHaveCount(0);
  await expect(reply.getByRole("link", { name: "Message deleted" })).toBeVisible();
  expect(await changed()).toEqual([await reply.getAttribute("id"), "m4"].sort());
  await expect(line(5), "the same element all the time").toHaveAttribute("data-kept");
});

test("a quote leads to its message: in the page, or on a page of its own", async ({ person, program }) => {
  const host = await program("Host");
  const room = await roomWithLines(host, 300);
  const ada = await person("Ada", room);
  await host.reply(room, 290, "near");
  await host.reply(room, 5, "far");
  const quoteIn = (text: string): Locator => ada.messages.filter({ hasText: text }).getByRole("link", { name: /line|earlier/ });
  await expect(quoteIn("far")).toHaveText("An earlier message");
  await quoteIn("near").click();
  await expect(ada.page.locator("#m290")).toBeInViewport();
  await expect(ada.message, "the page is still live").toBeVisible();
  expect(new URL(ada.page.url()).search).toBe("");
  await quoteIn("far").click();
  await expect(ada.page.locator("#m5")).toBeInViewport();
  await expect(ada.page.locator("#m5")).toContainText("line 5");
});

test("a new title shows at once, in the heading and in the tab", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle("Before"));
  const ada = await person("Ada", room);
  await expect(ada.title).toHaveText(/^Before/);
  const title = freshTitle("After");
  await host.write("set_title", room, { title });
  await expect(ada.title).toHaveText(title);
  await expect(ada.page).toHaveTitle(`${title} · Hubbub`);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByRole("link", { name: title })).toBeVisible();
  // The list is read again every ten seconds.
  const later = freshTitle("Later");
  await host.write("set_title", room, { title: later });
  await expect(ada.page.getByRole("link", { name: later })).toBeVisible({ timeout: 20_000 });
});
