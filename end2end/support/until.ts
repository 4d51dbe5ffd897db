// Waits in Node until something is true. In the browser, use Playwright's assertions.

/** Resolves to the first result of `probe` that is neither false nor undefined. Fails after `ms` with `what`. */
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
