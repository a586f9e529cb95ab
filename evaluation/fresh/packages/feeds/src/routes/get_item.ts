import { type Handler, param } from "../http.js";

/** An item of a feed. */
export const getItem: Handler = async (request, store) => {
  const item = await store.item(param(request, "feed"), param(request, "item"));
  return { status: 200, body: item };
};
