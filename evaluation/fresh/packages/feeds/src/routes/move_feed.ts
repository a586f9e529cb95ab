import { type Handler, param, text } from "../http.js";

/** Moves a feed into a folder, which need not be there before. */
export const moveFeed: Handler = async (request, store) => {
  const folder = text(request, "folder");
  const feed = await store.feed(param(request, "feed"));
  feed.folder = folder;
  await store.save();
  return { status: 204 };
};
