import { type Handler, param } from "../http.js";

/** Stars an item. */
export const starItem: Handler = async (request, store) => {
  const item = await store.item(param(request, "feed"), param(request, "item"));
  item.starred = true;
  await store.save();
  return { status: 204 };
};
