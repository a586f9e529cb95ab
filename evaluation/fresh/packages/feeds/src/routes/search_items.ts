import { BadRequest, type Handler } from "../http.js";

/** The items with some words in their titles (`q`), the newest first. */
export const searchItems: Handler = async (request, store) => {
  const words = request.query["q"]?.trim().toLowerCase() ?? "";
  if (words === "") {
    throw new BadRequest("q is missing");
  }
  const found = await store.items((item) => item.title.toLowerCase().includes(words));
  return { status: 200, body: found };
};
