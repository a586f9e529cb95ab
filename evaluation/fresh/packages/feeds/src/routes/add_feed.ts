import { BadRequest, type Handler, text } from "../http.js";

/** Adds a feed, called by its address until it is renamed. */
export const addFeed: Handler = async (request, store) => {
  const url = text(request, "url");
  if (!/^https?:/i.test(url) || !URL.canParse(url)) {
    throw new BadRequest("url is no address of a feed");
  }
  const feed = await store.add(url, url);
  await store.save();
  return { status: 201, body: feed };
};
