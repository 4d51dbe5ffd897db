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

/** Adds fields to the first stored value. */
export async function alterFirst(page: Page, shelf: "outbox" | "drafts", fields: Record<string, string>): Promise<void> {
  await page.evaluate(
    ([shelf, fields]) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("hubbub");
        opening.onerror = () => reject(new Error("no database"));
        opening.onsuccess = () => {
          const store = opening.result.transaction(shelf, "readwrite").objectStore(shelf);
          const finding = store.openCursor();
          finding.onsuccess = () => finding.result?.update({ ...finding.result.value, ...fields });
          store.transaction.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
    [shelf, fields] as const,
  );
}
