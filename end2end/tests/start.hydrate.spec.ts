// From the server's page to the live one, on a network that fails or is slow.

import { freshTitle } from "../support/seed.ts";
import { RoomPage, expect, test } from "../support/test.ts";

const DEAD = "Live updates could not be loaded";

for (const file of ["wasm", "js"]) {
  test(`a .${file} that fails to load is requested again until the page is live`, async ({ person, program, complaints }) => {
    complaints.allow(/Failed to load resource|ERR_FAILED|dynamically imported module/);
    const { room } = await (await program("Host")).createRoom(freshTitle());
    const known = await person("Ada", room);
    const page = await known.page.context().newPage();
    await known.page.close();
    let asked = 0;
    await page.route(`**/pkg/*.${file}`, (route) => (asked++ < 3 ? route.abort() : route.continue()));
    const ada = new RoomPage(page);
    await ada.open(room);
    await expect(page.getByRole("alert").filter({ hasText: DEAD }), "the page says so").toBeVisible({ timeout: 30_000 });
    await ada.message.fill("typed meanwhile");
    // The network is back, and the page tries again at once.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await ada.live("Ada");
    await expect(page.getByText(DEAD)).toHaveCount(0);
    await expect(ada.message).toHaveValue("typed meanwhile");
    expect(asked).toBe(4);
  });
}

test("Enter sends before the page is live", async ({ person, program }) => {
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  const known = await person("Ada", room);
  const page = await known.page.context().newPage();
  await known.page.close();
  let held = true;
  const waiting: (() => void)[] = [];
  await page.route("**/pkg/*.wasm", async (route) => {
    if (held) await new Promise<void>((go) => waiting.push(go));
    await route.continue().catch(() => undefined);
  });
  const ada = new RoomPage(page);
  await ada.open(room);
  await ada.message.press("Enter");
  await ada.message.fill("first line");
  await ada.message.press("Shift+Enter");
  await ada.message.pressSequentially("second");
  await ada.message.press("Enter");
  await expect(ada.messages).toHaveCount(1);
  await expect(ada.message).toHaveValue("");
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["first line\nsecond"]);

  // Sending also works, once per message, after the program has taken over.
  held = false;
  for (const go of waiting) go();
  await ada.live("Ada");
  await ada.send("live");
  await expect(ada.said("live")).toHaveCount(1);
  await expect.poll(async () => (await host.log(room)).map(({ text }) => text)).toEqual(["first line\nsecond", "live"]);
});
