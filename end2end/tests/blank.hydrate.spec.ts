// Messages with nothing visible, or with blank lines around their text.

import { freshTitle } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("blank lines around a message are removed, and every line end becomes a newline", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.send("\n\n  indented\u2028second\n\n");
  await expect(ada.messages).toHaveCount(1);
  const said = ["  indented\nsecond"];
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(said);
  await expect.poll(() => ada.messages.locator(".text").allTextContents()).toEqual(said);
});

test("a message of only invisible characters is refused with a sentence", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.send("\u200b\u2063");
  const alert = ada.page.getByRole("alert").filter({ hasText: "visible character" });
  await expect(alert).toBeVisible();
  await ada.send("seen");
  await expect(ada.said("seen")).toHaveCount(1);
  await expect(alert).toBeHidden();
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["seen"]);
});
