// A room's page: read, write, see who is here.

import { expect, type Locator, type Page } from "@playwright/test";

export class RoomPage {
  readonly name: Locator;
  readonly joinButton: Locator;
  readonly message: Locator;
  readonly sendButton: Locator;
  readonly log: Locator;
  readonly messages: Locator;
  readonly people: Locator;
  readonly older: Locator;
  readonly pill: Locator;
  readonly title: Locator;

  constructor(readonly page: Page) {
    this.name = page.getByRole("textbox", { name: "Your name" });
    this.joinButton = page.getByRole("button", { name: "Join", exact: true });
    this.message = page.getByRole("textbox", { name: "Message" });
    this.sendButton = page.getByRole("button", { name: "Send" });
    this.log = page.getByRole("log");
    this.messages = this.log.getByRole("article");
    // On a narrow screen the list is folded.
    this.people = page.getByRole("list", { name: "People", includeHidden: true });
    this.older = page.getByRole("link", { name: "Older messages" });
    this.pill = page.getByRole("button", { name: /^\d+ new messages?$/ });
    this.title = page.getByRole("heading", { level: 1 });
  }

  async open(room: string): Promise<void> {
    await this.page.goto(`/rooms/${room}`);
  }

  async signIn(name: string): Promise<void> {
    await this.name.fill(name);
    await this.joinButton.click();
    await expect(this.message).toBeVisible();
  }

  /** Waits until the page is live: the person is in its list of people then. */
  async live(name: string): Promise<void> {
    await expect(this.people).toContainText(name);
  }

  async send(text: string): Promise<void> {
    await this.message.fill(text);
    await this.message.press("Enter");
  }

  /** The articles in which one line is exactly this text. */
  said(text: string): Locator {
    return this.messages.filter({ has: this.page.getByText(text, { exact: true }) });
  }

  count(here: number): Locator {
    return this.page.getByText(new RegExp(`(^|\\D)${here} here`));
  }

  /** The messages' texts, top to bottom, reduced to what `wanted` matches in them. */
  async lines(wanted: RegExp): Promise<string[]> {
    const texts = await this.messages.allInnerTexts();
    return texts.flatMap((text) => wanted.exec(text)?.[0] ?? []);
  }
}
