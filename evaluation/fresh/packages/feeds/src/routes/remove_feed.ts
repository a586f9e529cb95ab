import { type Handler, param } from "../http.js";

/** Removes a feed with its items. */
export const removeFeed: Handler = async (request, store) => {
  await store.remove(param(request, "feed"));
  await store.save();
  return { status: 204 };
};
