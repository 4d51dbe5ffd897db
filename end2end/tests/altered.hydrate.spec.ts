// A page altered before its program starts, for example by a phone that links numbers or by an extension.

import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

const CHANGES: [string, () => void][] = [
  [
    "a telephone number made a link",
    () => {
      const text = [...document.querySelectorAll(".text")].find((element) => element.textContent?.includes("+49 30 901820"));
      if (text) text.innerHTML = text.innerHTML.replace("+49 30 901820", '<a href="tel:+4930901820">+49 30 901820</a>');
    },
  ],
  ["an element put in front", () => document.body.prepend(document.createElement("div"))],
  [
    "an element put into the form",
    () => document.querySelector("form.composer textarea")?.before(Object.assign(document.createElement("div"), { className: "helper" })),
  ],
  [
    "text wrapped",
    () => {
      for (const element of document.querySelectorAll("h1, .author, .text")) {
        const font = document.createElement("font");
        font.append(...element.childNodes);
        element.append(font);
      }
    },
  ],
  ["an element taken out", () => document.querySelector("header.room-header")?.remove()],
  ["an element put at the end, which does no harm", () => document.body.append(document.createElement("div"))],
];

for (const [what, change] of CHANGES) {
  test(`${what}: the page still becomes live`, async ({ person, visitor, program }) => {
    const host = await program("Host");
    const { room } = await host.createRoom(freshTitle());
    await host.send(room, "call +49 30 901820 now", "another line");
    const grace = await person("Grace", room);
    const page = await visitor();
    const ada = new RoomPage(page);
    await ada.open(room);
    await ada.signIn("Ada");
    await ada.live("Ada");
    await page.addInitScript(`addEventListener("DOMContentLoaded", () => {
      const type = () => { const box = document.querySelector("#message"); if (box) box.value = "typed early"; };
      (${change.toString()})();
      type();
    })`);
    await ada.open(room);
    await expect(ada.message).toHaveValue("typed early");
    await expect(page.getByText("Connected", { exact: true })).toBeVisible();
    await expect(ada.title).toBeVisible();
    await ada.live("Ada");
    await expect(ada.messages).toHaveCount(2);
    await ada.message.press("Enter");
    await expect(ada.said("typed early")).toHaveCount(1);
    await expect(grace.said("typed early")).toHaveCount(1);
    await grace.send("and live");
    await expect(ada.said("and live")).toHaveCount(1);
    await page.getByRole("link", { name: "All rooms" }).click();
    await expect(page.getByText("Signed in as Ada")).toBeVisible();
  });
}

test("a program that fails while starting renders the page again and keeps what was typed", async ({ visitor, program, complaints }) => {
  complaints.allow(/hydrat|unreachable|panicked/i);
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  await host.send(room, "a line");
  const page = await visitor();
  const ada = new RoomPage(page);
  await ada.open(room);
  await ada.signIn("Ada");
  await ada.live("Ada");
  // As many nodes as before, but different ones.
  await page.addInitScript(() =>
    addEventListener("DOMContentLoaded", () => {
      const box = document.querySelector<HTMLTextAreaElement>("#message");
      if (box) box.value = "typed early";
      document.querySelector(".text")?.replaceChildren(document.createComment("x"));
      document.querySelector(".log .message header .author")?.remove();
    }),
  );
  await ada.open(room);
  await expect(page.getByText("Connected", { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(ada.message).toHaveValue("typed early");
  await ada.message.press("Enter");
  await expect(ada.said("typed early")).toHaveCount(1);
});
