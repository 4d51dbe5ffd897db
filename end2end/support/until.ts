// Waiting in Node for something to become true. In the browser, Playwright's own assertions wait.

/** Returns what `probe` returns as soon as that is neither false nor undefined; fails after `ms` naming `what`. */
export async function until<T>(
  what: string,
  ms: number,
  probe: () => T | false | undefined | Promise<T | false | undefined>,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`after ${ms} ms it is still not true that ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
