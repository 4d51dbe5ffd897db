// Some tests have two sizes: a small one for `make test`, a large one for `make soak`. Both check the same rules.

const large = process.env["HUBBUB_TEST_SIZE"] === "large";

/** Marks a test that `make soak` runs at its large size. */
export const SOAK = { tag: "@soak" } as const;

/** The size for this run. */
export const sized = <T>(small: T, big: T): T => (large ? big : small);

/** A count as people read it: 100,000. */
export const counted = (count: number): string => count.toLocaleString("en");
