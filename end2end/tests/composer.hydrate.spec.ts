// The box in which people write.

import { freshTitle } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("Enter sends, Shift+Enter is a new line", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.pressSequentially("first line");
  await ada.message.press("Shift+Enter");
  await ada.message.pressSequentially("second line");
  await expect(ada.message).toHaveValue("first line\nsecond line");
  await expect(ada.messages).toHaveCount(0);
  await ada.message.press("Enter");
  await expect(ada.messages).toHaveCount(1);
  await expect(ada.message).toHaveValue("");
  await expect(ada.message).toBeFocused();
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["first line\nsecond line"]);
});

test("Enter on nothing but blanks sends nothing", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.fill("   ");
  await ada.message.press("Enter");
  await ada.message.fill("something");
  await ada.message.press("Enter");
  await expect(ada.said("something")).toHaveCount(1);
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["something"]);
});

test("Enter that ends a composition does not send", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.focus();
  const keyboard = await ada.page.context().newCDPSession(ada.page);
  await keyboard.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
  await ada.page.keyboard.press("Enter");
  // What input methods of some systems send instead: the key code 229 without the flag.
  await ada.message.evaluate((box) => {
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }));
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }));
  });
  await keyboard.send("Input.insertText", { text: "日本" });
  await expect(ada.message).toHaveValue(/日本/);
  await expect(ada.messages).toHaveCount(0);
  await ada.message.fill("日本語");
  await ada.message.press("Enter");
  await expect(ada.said("日本語")).toHaveCount(1);
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["日本語"]);
});

test("a text of more than 8,000 characters is refused with a sentence and stays", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const long = "ä".repeat(8_001);
  await ada.message.fill(long);
  await ada.message.press("Enter");
  await expect(ada.page.getByRole("alert").filter({ hasText: /8,?000/ })).toBeVisible();
  await expect(ada.message).toHaveValue(long);
  expect(await host.log(room)).toEqual([]);
  await ada.message.fill(long.slice(1));
  await ada.message.press("Enter");
  await expect(ada.messages).toHaveCount(1);
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text?.length)).toEqual([8_000]);
});
