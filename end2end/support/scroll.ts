// Positions on the screen, measured in the page.

import type { Page } from "@playwright/test";

import type { RoomPage } from "../pages/room.ts";

/** Marks the element that scrolls the log, so that the functions below find it. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => {
    if (document.querySelector("[data-end2end-scroller]")) return;
    let element: Element | null = document.querySelector('[role="log"]');
    while (element && !(element.scrollHeight > element.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(element).overflowY))) {
      element = element.parentElement;
    }
    (element ?? document.scrollingElement)?.setAttribute("data-end2end-scroller", "");
  });
}

/** Scrolls the log, as a finger does, so that `top` pixels are hidden above (if negative: below the visible
 * part). Returns the top of the message with this text. */
export async function scrollTo(room: RoomPage, top: number, text: string): Promise<number> {
  await mark(room.page);
  return room.page.evaluate(
    ([wanted, line]) => {
      const scroller = document.querySelector("[data-end2end-scroller]");
      if (!scroller) throw new Error("nothing scrolls");
      const most = scroller.scrollHeight - scroller.clientHeight;
      const above = wanted >= 0 ? wanted : most + wanted;
      // A reversed column counts from its end, downwards from 0.
      const reversed = getComputedStyle(scroller).flexDirection === "column-reverse";
      scroller.scrollTop = reversed ? above - most : above;
      const article = [...document.querySelectorAll('[role="log"] article')].find((one) =>
        (one as HTMLElement).innerText.split("\n").some((part) => part.trim() === line),
      );
      if (!article) throw new Error(`no message says ${line}`);
      article.setAttribute("data-end2end-line", "");
      return article.getBoundingClientRect().top;
    },
    [top, text] as const,
  );
}

/** Where the message of the last `scrollTo` is painted now. Measured right after a frame, because between
 * frames the page may move it unseen. */
export async function lineTop(page: Page): Promise<number> {
  return page.evaluate(async () => {
    await new Promise((framed) => requestAnimationFrame(() => setTimeout(framed)));
    return document.querySelector("[data-end2end-line]")?.getBoundingClientRect().top ?? Number.NaN;
  });
}

/** Pixels of the log that are hidden below the visible part. */
export async function fromEnd(room: RoomPage): Promise<number> {
  await mark(room.page);
  return room.page.evaluate(() => {
    const scroller = document.querySelector("[data-end2end-scroller]");
    if (!scroller) return Number.NaN;
    const reversed = getComputedStyle(scroller).flexDirection === "column-reverse";
    return reversed ? -scroller.scrollTop : scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
  });
}

/** Records the top of that message at every frame. The returned function returns the recorded values. */
export async function watchLine(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const line = document.querySelector("[data-end2end-line]");
    const tops: number[] = [];
    Object.assign(window, { end2endTops: tops });
    const note = (): void => {
      if (line) tops.push(line.getBoundingClientRect().top);
      requestAnimationFrame(() => setTimeout(note));
    };
    requestAnimationFrame(() => setTimeout(note));
  });
  return () => page.evaluate(() => (window as unknown as { end2endTops: number[] }).end2endTops);
}

export interface ReadUp {
  /** The number of the message read last. */
  reached: number;
  /** Its top on the screen. */
  top: number;
  steps: number;
  frames: number;
  /** The most that the line in the middle of the screen moved by itself, in pixels. */
  moved: number;
  /** The most messages in the page. */
  most: number;
}

/** Scrolls up by `step` pixels at a time (down if negative, not at all if 0) until the message in the middle of the
 * screen has this number. Checks at every frame that the message in the middle does not move. */
export async function readUp(page: Page, step: number, until: number): Promise<ReadUp> {
  return page.evaluate(
    async ([step, until]) => {
      const scroller = document.querySelector(".scroller");
      if (!scroller) throw new Error("nothing scrolls");
      const frame = (): Promise<unknown> => new Promise((framed) => requestAnimationFrame(() => setTimeout(framed)));
      const middle = (): Element => {
        const { left, width, top, height } = scroller.getBoundingClientRect();
        for (let y = top + height / 2; y > top; y -= 10) {
          const found = document.elementFromPoint(left + width / 2, y)?.closest("article[id]");
          if (found) return found;
        }
        throw new Error("no message in the middle of the screen");
      };
      const number = (line: Element): number => Number(line.id.slice(1));
      const past = (n: number): boolean => (step < 0 ? n >= until : n <= until);
      let [steps, frames, moved, most, idle] = [0, 0, 0, 0, 0];
      let line = middle();
      let top = line.getBoundingClientRect().top;
      for (;;) {
        const before = scroller.scrollTop;
        scroller.scrollTop -= step;
        // In the same task, so nothing can have been added or removed yet.
        line = middle();
        top = line.getBoundingClientRect().top;
        steps += 1;
        // At the page's present end, more is being loaded.
        idle = step !== 0 && scroller.scrollTop === before ? idle + 1 : 0;
        if (idle > 300) throw new Error(`stuck at message ${number(line)}`);
        for (let n = 0; n < 3; n += 1) {
          await frame();
          frames += 1;
          if (!line.isConnected) throw new Error(`message ${line.id} is gone while it is read`);
          moved = Math.max(moved, Math.abs(line.getBoundingClientRect().top - top));
          most = Math.max(most, document.querySelectorAll('[role="log"] article').length);
        }
        if (past(number(line))) return { reached: number(line), top, steps, frames, moved, most };
      }
    },
    [step, until] as const,
  );
}
