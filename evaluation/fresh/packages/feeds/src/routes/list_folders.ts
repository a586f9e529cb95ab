import type { Handler } from "../http.js";

/** The folders that have feeds, sorted; what is in none is left out. */
export const listFolders: Handler = async (_request, store) => {
  const folders = new Set((await store.feeds()).map((feed) => feed.folder));
  folders.delete("");
  return { status: 200, body: [...folders].sort() };
};
