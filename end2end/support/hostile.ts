// Texts that end or begin an element, end an attribute, or have a meaning in HTML, JSON or JavaScript.

import { expect, type Page } from "@playwright/test";

export const HOSTILE: readonly string[] = [
  "</title><meta http-equiv=refresh content=0;url=//x.example>",
  "</title><!--",
  "</title><plaintext>",
  "</script><script>window.hurt=1</script>",
  "</textarea><b>",
  "<img src=x onerror=window.hurt=1>",
  "\" onfocus=\"window.hurt=1\" autofocus=\"",
  "' onclick='window.hurt=1",
  "<!--[--><!>-->",
  "&lt;b&gt; &amp; \\u003cb\\u003e",
  "{{hurt}} ${hurt} <%= hurt %>",
];

/** Also texts with characters that are allowed in messages, but not in names. */
export const HOSTILE_MESSAGES: readonly string[] = [...HOSTILE, "a\u2028b\u2029c", "abc\u202edef", "javascript:window.hurt=1"];

/** How these are stored and shown: every line end is a newline. */
export const SHOWN_MESSAGES = HOSTILE_MESSAGES.map((text) => text.replace(/[\u2028\u2029]/g, "\n"));

/** Nothing that people wrote became part of the page's structure or ran. */
export async function expectUnhurt(page: Page): Promise<void> {
  const found = await page.evaluate(() => ({
    hurt: "hurt" in window,
    refresh: document.querySelectorAll("meta[http-equiv]").length,
    handlers: [...document.querySelectorAll("*")].filter((element) =>
      element.getAttributeNames().some((name) => name.startsWith("on") || name === "autofocus"),
    ).length,
    strange: document.querySelectorAll("b, img, plaintext, body meta, body title, [href^='javascript:']").length,
    whole: document.querySelectorAll("main, .foot").length,
  }));
  expect(found).toEqual({ hurt: false, refresh: 0, handlers: 0, strange: 0, whole: 2 });
}
