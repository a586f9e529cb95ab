import { type Handler, param } from "../http.js";

/** Marks all items of a feed as read. */
export const markAllRead: Handler = async (request, store) => {
  const feed = await store.feed(param(request, "feed"));
  for (const item of feed.items) {
    item.read = true;
  }
  await store.save();
  return { status: 204 };
};
