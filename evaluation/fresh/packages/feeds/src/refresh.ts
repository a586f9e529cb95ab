/** Fetches feeds and puts what is new into the store. */

import type { Item, Store } from "./store.js";

/** Fetches the items of a feed. */
export type Fetch = (url: string) => Promise<Item[]>;

/** Fetches all feeds, one after the other, and says how many items are new.
 *
 * A feed that cannot be fetched is left for the next time. */
export async function refresh(store: Store, fetch: Fetch): Promise<number> {
  let fresh = 0;
  for (const feed of await store.feeds()) {
    let items: Item[];
    try {
      items = await fetch(feed.url);
    } catch (error) {
      console.warn(`${feed.url} was not fetched`, error);
      continue;
    }
    fresh += await store.put(feed.id, items);
  }
  if (fresh > 0) {
    await store.save();
  }
  return fresh;
}
