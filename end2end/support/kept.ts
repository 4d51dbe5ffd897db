// What a browser stores of unsent text.

import type { Page } from "@playwright/test";

/** The browser's stored values in one object store. */
export async function kept(page: Page, shelf: "outbox" | "drafts"): Promise<unknown[]> {
  return page.evaluate(
    (shelf) =>
      new Promise<unknown[]>((resolve, reject) => {
        const opening = indexedDB.open("hubbub");
        opening.onerror = () => reject(new Error("no database"));
        opening.onsuccess = () => {
          const asking = opening.result.transaction(shelf).objectStore(shelf).getAll();
          asking.onsuccess = () => {
            opening.result.close();
            resolve(asking.result as unknown[]);
          };
        };
      }),
    shelf,
  );
}
