import { type Handler, param } from "../http.js";

/** A feed with its items. */
export const getFeed: Handler = async (request, store) => {
  return { status: 200, body: await store.feed(param(request, "feed")) };
};
