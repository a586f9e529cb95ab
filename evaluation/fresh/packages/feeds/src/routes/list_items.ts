import { type Handler, param } from "../http.js";

/** The items of a feed, the newest first. */
export const listItems: Handler = async (request, store) => {
  const { items } = await store.feed(param(request, "feed"));
  return { status: 200, body: [...items].sort((one, other) => other.at - one.at) };
};
