import type { Handler } from "../http.js";

/** The items with a star, the newest first. */
export const listStarred: Handler = async (_request, store) => {
  return { status: 200, body: await store.items((item) => item.starred) };
};
