import type { Handler } from "../http.js";

/** The items that are not read, the newest first. */
export const listUnread: Handler = async (_request, store) => {
  return { status: 200, body: await store.items((item) => !item.read) };
};
