// Where things are on the screen, measured in the page.

import type { Page } from "@playwright/test";

import type { RoomPage } from "../pages/room.ts";

/** Names the element that scrolls the log, so that the measurements below find it again. */
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

/** Scrolls the log, as a person's finger would, so that `top` pixels are hidden above (negative: below what is
 * seen), and says where the message with this text is then. */
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

/** Where the message of the last `scrollTo` is painted now. Right after a frame: in between, the page may have
 * changed without anybody seeing it. */
export async function lineTop(page: Page): Promise<number> {
  return page.evaluate(async () => {
    await new Promise((framed) => requestAnimationFrame(() => setTimeout(framed)));
    return document.querySelector("[data-end2end-line]")?.getBoundingClientRect().top ?? Number.NaN;
  });
}

/** Pixels of the log that are hidden below what is seen of it. */
export async function fromEnd(room: RoomPage): Promise<number> {
  await mark(room.page);
  return room.page.evaluate(() => {
    const scroller = document.querySelector("[data-end2end-scroller]");
    if (!scroller) return Number.NaN;
    const reversed = getComputedStyle(scroller).flexDirection === "column-reverse";
    return reversed ? -scroller.scrollTop : scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
  });
}

/** From now on, notes where that message is painted at every frame; the function that comes back tells the places. */
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
