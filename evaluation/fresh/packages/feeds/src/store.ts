/** All feeds and their items, in memory, kept in a file. */

import { readFile, rename, writeFile } from "node:fs/promises";

import { NotFound } from "./http.js";

export interface Item {
  readonly id: string;
  readonly title: string;
  readonly link: string;
  readonly at: number;
  read: boolean;
  starred: boolean;
}

export interface Feed {
  readonly id: string;
  readonly url: string;
  title: string;
  folder: string;
  items: Item[];
}

export class Store {
  readonly #file: string;
  readonly #feeds: Map<string, Feed>;
  #saving: Promise<void> = Promise.resolve();
  #lastId: number;

  constructor(file: string, feeds: readonly Feed[] = []) {
    this.#file = file;
    this.#feeds = new Map(feeds.map((feed) => [feed.id, feed]));
    this.#lastId = Math.max(0, ...feeds.map((feed) => Number(feed.id)));
  }

  static async open(file: string): Promise<Store> {
    return new Store(file, JSON.parse(await readFile(file, "utf8")) as Feed[]);
  }

  /** All feeds, in the order in which they were added. */
  async feeds(): Promise<Feed[]> {
    return [...this.#feeds.values()];
  }

  /** A feed; NotFound if there is none. */
  async feed(id: string): Promise<Feed> {
    const feed = this.#feeds.get(id);
    if (feed === undefined) {
      throw new NotFound(`no feed ${id}`);
    }
    return feed;
  }

  /** The feed with an address, added if there is none. */
  async add(url: string, title: string): Promise<Feed> {
    for (const feed of this.#feeds.values()) {
      if (feed.url === url) {
        return feed;
      }
    }
    this.#lastId += 1;
    const feed = { id: String(this.#lastId), url, title, folder: "", items: [] };
    this.#feeds.set(feed.id, feed);
    return feed;
  }

  /** Removes a feed with its items; NotFound if there is none. */
  async remove(id: string): Promise<void> {
    if (!this.#feeds.delete(id)) {
      throw new NotFound(`no feed ${id}`);
    }
  }

  /** An item of a feed; NotFound if there is none. */
  async item(feedId: string, itemId: string): Promise<Item> {
    const item = (await this.feed(feedId)).items.find((one) => one.id === itemId);
    if (item === undefined) {
      throw new NotFound(`no item ${itemId} in feed ${feedId}`);
    }
    return item;
  }

  /** All items that fit, the newest first. */
  async items(fits: (item: Item) => boolean): Promise<Item[]> {
    const all = [...this.#feeds.values()].flatMap((feed) => feed.items.filter(fits));
    return all.sort((one, other) => other.at - one.at);
  }

  /** How many items of a feed are not read; NotFound if there is no such feed. */
  async unread(id: string): Promise<number> {
    return (await this.feed(id)).items.filter((item) => !item.read).length;
  }

  /** Adds the items of a feed that are new; says how many. A feed that is gone takes none. */
  async put(id: string, items: readonly Item[]): Promise<number> {
    const feed = this.#feeds.get(id);
    if (feed === undefined) {
      return 0;
    }
    const known = new Set(feed.items.map((item) => item.id));
    const fresh = items.filter((item) => !known.has(item.id));
    feed.items.push(...fresh);
    return fresh.length;
  }

  /** Writes everything into the file, one writer after the other. */
  save(): Promise<void> {
    const before = this.#saving.catch(() => undefined);
    this.#saving = before.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    const draft = `${this.#file}.new`;
    await writeFile(draft, JSON.stringify([...this.#feeds.values()]), "utf8");
    await rename(draft, this.#file);
  }
}
