import { type Handler, param } from "../http.js";

/** Marks an item as read. */
export const markRead: Handler = async (request, store) => {
  const item = await store.item(param(request, "feed"), param(request, "item"));
  item.read = true;
  await store.save();
  return { status: 204 };
};
