// A room's page, with and without JavaScript: read messages, load older ones, send.

import { status } from "../support/console.ts";
import { freshTitle, roomWithLines } from "../support/seed.ts";
import { FrontPage, RoomPage, expect, test } from "../support/test.ts";

test("shows the title and the latest messages to everybody", async ({ page, program }) => {
  const title = freshTitle("Reading");
  const room = await roomWithLines(await program("Ada"), 60, title);
  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.title).toContainText(title);
  await expect(page).toHaveTitle(new RegExp(title));
  await expect(reader.said("line 60")).toBeVisible();
  await expect(reader.messages.first()).toContainText("Ada");
  expect(await reader.lines(/line \d+/)).toEqual(Array.from({ length: 50 }, (_, i) => `line ${i + 11}`));
});

test("the latest messages and the title are in the HTML itself", async ({ request, program }) => {
  const title = freshTitle("Crawled");
  const room = await roomWithLines(await program("Ada"), 60, title);
  const html = await (await request.get(`/rooms/${room}`)).text();
  expect(html).toContain(title);
  expect(html).toContain("line 60");
  expect(html).toMatch(/<a[^>]+href="[^"]*before=/);
});

test("the link to older messages leads back to the first one", async ({ page, program, javaScriptEnabled }) => {
  const room = await roomWithLines(await program("Ada"), 120);
  const reader = new RoomPage(page);
  await reader.open(room);
  // With scripts the link need not leave the page, but its address always works.
  for (const first of ["line 21", "line 1"]) {
    const address = await reader.older.first().getAttribute("href");
    expect(address).toContain("before=");
    if (javaScriptEnabled === false) await reader.older.first().click();
    else await page.goto(new URL(address ?? "", page.url()).href);
    await expect(reader.said(first)).toHaveCount(1);
  }
  await expect(reader.older).toHaveCount(0);
});

test("a page before the first message shows the start of the room", async ({ page, program }) => {
  const room = await roomWithLines(await program("Ada"), 3);
  const reader = new RoomPage(page);
  for (const before of [0, 1]) {
    await page.goto(`/rooms/${room}?before=${before}`);
    await expect(page.getByText("This is the start of the room.")).toBeVisible();
    await expect(page.getByText("No messages yet.")).toBeHidden();
    await expect(page.getByRole("link", { name: "Newest messages" })).toHaveAttribute("href", `/rooms/${room}`);
    await expect(reader.messages).toHaveCount(0);
  }
  await page.goto(`/rooms/${(await (await program("Bo")).createRoom(freshTitle())).room}`);
  await expect(page.getByText("No messages yet.")).toBeVisible();
  await expect(page.getByText("This is the start of the room.")).toBeHidden();
});

test("a person signs in on the room's page and posts", async ({ page }) => {
  const room = new RoomPage(page);
  await room.open("lobby");
  await room.signIn("Grace");
  await expect(page).toHaveURL(/\/rooms\/lobby$/);
  const text = freshTitle("Good morning");
  await room.message.fill(text);
  await room.sendButton.click();
  await expect(room.said(text)).toHaveCount(1);
  await expect(room.messages.last()).toContainText("Grace");
  await page.reload();
  await expect(room.said(text)).toHaveCount(1);
});

test("after going back, another text is another message", async ({ page, program }) => {
  const slug = await roomWithLines(await program("Ada"), 5);
  const room = new RoomPage(page);
  await room.open(slug);
  await room.signIn("Grace");
  await room.open(`${slug}?before=3`);
  for (const text of ["first", "second"]) {
    await room.message.fill(text);
    await room.sendButton.click();
    await expect(page).toHaveURL(new RegExp(`/rooms/${slug}$`));
    await expect(room.said(text)).toHaveCount(1);
    await page.goBack();
    await expect(page).toHaveURL(/before=3$/);
  }
  await room.open(slug);
  await expect(room.said("first")).toHaveCount(1);
  await expect(room.said("second")).toHaveCount(1);
});

test("what people type is shown as text, not run as markup", async ({ page, program }) => {
  const author = await program("<b>Ada</b>");
  const { room } = await author.createRoom(freshTitle("Markup"));
  const nasty = `<img src=x onerror="document.title='run'"> & </script><script>document.title="run"</script>`;
  await author.send(room, nasty);
  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.messages.first()).toContainText(nasty);
  await expect(reader.messages.first()).toContainText("<b>Ada</b>");
  await expect(reader.log.locator("img[src=x]")).toHaveCount(0);
  expect(await page.title()).not.toBe("run");
});

test("an empty room says so", async ({ page, program }) => {
  const { room } = await (await program("Ada")).createRoom(freshTitle("Empty"));
  const reader = new RoomPage(page);
  await reader.open(room);
  await expect(reader.messages).toHaveCount(0);
  await expect(page.getByText(/no messages|nothing|quiet|first/i).first()).toBeVisible();
});

test("an unknown room is a 404 with a way back", async ({ page, complaints }) => {
  complaints.allow(status(404));
  const response = await page.goto("/rooms/no-such-room-anywhere");
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("heading").first()).toBeVisible();
  await expect(page.locator('a[href="/"]').first()).toBeVisible();
});

test("an unknown page is a 404 too", async ({ page, complaints }) => {
  complaints.allow(status(404));
  const response = await page.goto("/no/such/page");
  expect(response?.status()).toBe(404);
  await expect(page.locator('a[href="/"]').first()).toBeVisible();
});

test("a form of a person who has signed out sends nothing in another's name", async ({ page, program, complaints }) => {
  complaints.allow(status(422));
  const host = await program("Host");
  const { room } = await host.createRoom(freshTitle());
  await host.send(room, "one", "two");
  const tab = new RoomPage(page);
  await page.goto(`/rooms/${room}?before=2`);
  await tab.signIn("Ada");
  await page.goto(`/rooms/${room}?before=2`);
  const other = new FrontPage(await page.context().newPage());
  await other.open();
  await other.page.getByRole("button", { name: "Sign out" }).click();
  await other.signIn("Bo");
  await expect(other.page.getByText("Signed in as Bo")).toBeVisible();
  await tab.message.fill("Ada's own words");
  await tab.sendButton.click();
  await expect(page.getByRole("alert").filter({ hasText: "now signed in as Bo" })).toBeVisible();
  expect((await host.log(room)).map(({ text }) => text)).toEqual(["one", "two"]);
});
