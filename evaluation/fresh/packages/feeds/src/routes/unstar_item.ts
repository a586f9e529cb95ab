import { type Handler, param } from "../http.js";

/** Takes the star off an item. */
export const unstarItem: Handler = async (request, store) => {
  const item = await store.item(param(request, "feed"), param(request, "item"));
  item.starred = false;
  await store.save();
  return { status: 204 };
};
