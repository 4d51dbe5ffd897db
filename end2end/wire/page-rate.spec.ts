// People behind one address who load pages at the same time all get them.

import { expect, testWithOwnServer as test } from "../support/test.ts";

test("pages over the rate of an address wait for their turn", async ({ ownServer }) => {
  const PAGES = 180;
  const AT_ONCE = 20;
  const statuses = new Map<number, number>();
  let asked = 0;
  const reader = async (): Promise<void> => {
    while (asked < PAGES) {
      asked += 1;
      const { status } = await fetch(`${ownServer.url}/api/rooms/lobby`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
  expect(Object.fromEntries(statuses)).toEqual({ 200: PAGES });
});
