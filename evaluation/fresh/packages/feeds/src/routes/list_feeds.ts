import type { Handler } from "../http.js";

/** All feeds, without their items, with how many of them are not read. */
export const listFeeds: Handler = async (_request, store) => {
  const feeds = await store.feeds();
  const unread = await Promise.all(feeds.map((feed) => store.unread(feed.id)));
  const body = feeds.map(({ items, ...feed }, index) => ({ ...feed, unread: unread[index] }));
  return { status: 200, body };
};
