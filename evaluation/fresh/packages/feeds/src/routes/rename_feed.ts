import { type Handler, param, text } from "../http.js";

/** Gives a feed another title. */
export const renameFeed: Handler = async (request, store) => {
  const title = text(request, "title");
  const feed = await store.feed(param(request, "feed"));
  feed.title = title;
  await store.save();
  return { status: 204 };
};
