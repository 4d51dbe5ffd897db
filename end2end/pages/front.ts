// The front page: sign in, list rooms, create one.

import type { Locator, Page } from "@playwright/test";

export class FrontPage {
  readonly name: Locator;
  readonly joinButton: Locator;
  readonly roomName: Locator;
  readonly createButton: Locator;

  constructor(readonly page: Page) {
    this.name = page.getByRole("textbox", { name: "Your name" });
    this.joinButton = page.getByRole("button", { name: "Join", exact: true });
    this.roomName = page.getByRole("textbox", { name: "Room name" });
    this.createButton = page.getByRole("button", { name: "Create room" });
  }

  async open(): Promise<void> {
    await this.page.goto("/");
  }

  async signIn(name: string): Promise<void> {
    await this.name.fill(name);
    await this.joinButton.click();
  }

  async createRoom(title: string): Promise<void> {
    await this.roomName.fill(title);
    await this.createButton.click();
  }

  /** The link to a room in the list. */
  room(title: string): Locator {
    return this.page.getByRole("link", { name: title });
  }
}
