// The composer.

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

test("Enter on blanks alone sends nothing", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.page.evaluate(() => {
    document.addEventListener("invalid", () => document.body.setAttribute("data-end2end-invalid", ""), true);
  });
  for (const blank of ["", "   "]) {
    await ada.message.fill(blank);
    await ada.message.press("Enter");
  }
  await expect(ada.page.locator("[data-end2end-invalid]"), "the browser complains of nothing").toHaveCount(0);
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
  // Some systems' input methods send key code 229 without the flag.
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

test("on a touch screen with a keyboard, Enter and Ctrl+Enter send; the screen's own Enter is a new line", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room, { hasTouch: true, isMobile: true });
  expect(await ada.page.evaluate(() => matchMedia("(pointer: coarse)").matches)).toBe(true);
  await ada.message.pressSequentially("by Enter");
  await ada.message.press("Enter");
  await expect(ada.said("by Enter")).toHaveCount(1);
  await ada.message.pressSequentially("by Ctrl+Enter");
  await ada.message.press("Control+Enter");
  await expect(ada.said("by Ctrl+Enter")).toHaveCount(1);
  // A screen keyboard sends keys without a code, most of them without a name.
  const onScreen = (key: object): Promise<boolean> =>
    ada.message.evaluate((box, key) => box.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...key })), key);
  await ada.message.fill("on the screen");
  await onScreen({ key: "Unidentified", keyCode: 229 });
  expect(await onScreen({ key: "Enter", keyCode: 13 }), "the browser inserts a new line").toBe(true);
  await expect(ada.message).toHaveValue("on the screen");
  await onScreen({ key: "Enter", keyCode: 13, ctrlKey: true });
  await expect(ada.said("on the screen")).toHaveCount(1);
});

test("control characters in pasted text are removed, and a sentence says which and where", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  await ada.message.focus();
  await ada.page.evaluate(() => document.execCommand("insertText", false, "one\u0007two\u000bthree"));
  await expect(ada.message).toHaveValue("onetwo\nthree");
  await expect(ada.page.getByRole("alert").filter({ hasText: "the first U+0007 at character 4" })).toBeVisible();
  await ada.message.press("Enter");
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["onetwo\nthree"]);
});

test("files that are dropped or pasted are refused with a sentence, and the page stays", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const ada = await person("Ada", room);
  const refused = ada.page.getByRole("alert").filter({ hasText: "can't be sent yet" });
  const prevented = await ada.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "x.txt", { type: "text/plain" }));
    return ["dragover", "drop"].map((type) => !document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })));
  });
  expect(prevented, "the browser does not open the file").toEqual([true, true]);
  await expect(refused).toBeVisible();
  await ada.message.pressSequentially("x");
  await expect(refused).toHaveCount(0);
  await ada.message.evaluate((box) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File(["x"], "x.png", { type: "image/png" }));
    box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  await expect(refused).toBeVisible();
});
