import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { refresh } from "../src/refresh.js";
import { answer } from "../src/router.js";
import { type Item, Store } from "../src/store.js";

let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "feeds-"));
  store = new Store(join(folder, "feeds.json"));
});

afterEach(() => rm(folder, { recursive: true }));

function ask(route: string, body?: unknown, query: Record<string, string> = {}) {
  const [method = "", path = ""] = route.split(" ");
  return answer({ method, path, query, body }, store);
}

function item(id: string, at: number): Item {
  const link = `https://a.example/${id}`;
  return { id, title: `About ${id}`, link, at, read: false, starred: false };
}

async function withItems(): Promise<void> {
  await ask("POST /feeds", { url: "https://a.example/feed" });
  await refresh(store, async () => [item("bees", 1), item("wasps", 2)]);
}

test("a feed is added, renamed, moved, removed, and kept", async () => {
  assert.equal((await ask("POST /feeds", { url: "https://a.example/feed" })).status, 201);
  assert.equal((await ask("PUT /feeds/1/title", { title: "Insects" })).status, 204);
  assert.equal((await ask("PUT /feeds/1/folder", { folder: "Nature" })).status, 204);
  assert.deepEqual((await ask("GET /folders")).body, ["Nature"]);
  store = await Store.open(join(folder, "feeds.json"));
  const feed = { id: "1", url: "https://a.example/feed", title: "Insects", folder: "Nature" };
  assert.deepEqual((await ask("GET /feeds")).body, [{ ...feed, unread: 0 }]);
  assert.deepEqual((await ask("GET /feeds/1")).body, { ...feed, items: [] });
  assert.equal((await ask("DELETE /feeds/1")).status, 204);
  assert.deepEqual((await ask("GET /feeds")).body, []);
});

test("items are read and starred", async () => {
  await withItems();
  const ids = async (route: string) =>
    ((await ask(route)).body as Item[]).map((one) => one.id);
  assert.deepEqual(await ids("GET /feeds/1/items"), ["wasps", "bees"]);
  await ask("PUT /feeds/1/items/wasps/read");
  assert.deepEqual(await ids("GET /unread"), ["bees"]);
  await ask("PUT /feeds/1/read");
  assert.deepEqual(await ids("GET /unread"), []);
  await ask("PUT /feeds/1/items/bees/star");
  assert.deepEqual(await ids("GET /starred"), ["bees"]);
  await ask("DELETE /feeds/1/items/bees/star");
  assert.deepEqual(await ids("GET /starred"), []);
  assert.equal(((await ask("GET /feeds/1/items/bees")).body as Item).read, true);
});

test("titles are searched", async () => {
  await withItems();
  const found = await ask("GET /search", undefined, { q: "BEES" });
  assert.deepEqual((found.body as Item[]).map((one) => one.id), ["bees"]);
  assert.equal((await ask("GET /search")).status, 400);
});

test("what is not there or does not fit is said", async () => {
  for (const path of ["/feeds/7", "/feeds/7/items/x", "/nowhere"]) {
    assert.equal((await ask(`GET ${path}`)).status, 404, path);
  }
  assert.equal((await ask("DELETE /feeds/7")).status, 404);
  assert.equal((await ask("POST /feeds", { url: "file:///etc/hosts" })).status, 400);
  assert.equal((await ask("PUT /feeds/7/title", {})).status, 400);
});

test("a feed that is fetched twice has its items once", async () => {
  await withItems();
  assert.equal(await refresh(store, async () => [item("bees", 1), item("ants", 3)]), 1);
  assert.equal(await refresh(store, () => Promise.reject(new Error("gone"))), 0);
});
