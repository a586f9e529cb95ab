/** Which handler answers which route. */

import type { Handler } from "../http.js";
import { addFeed } from "./add_feed.js";
import { getFeed } from "./get_feed.js";
import { getItem } from "./get_item.js";
import { listFeeds } from "./list_feeds.js";
import { listFolders } from "./list_folders.js";
import { listItems } from "./list_items.js";
import { listStarred } from "./list_starred.js";
import { listUnread } from "./list_unread.js";
import { markAllRead } from "./mark_all_read.js";
import { markRead } from "./mark_read.js";
import { moveFeed } from "./move_feed.js";
import { removeFeed } from "./remove_feed.js";
import { renameFeed } from "./rename_feed.js";
import { searchItems } from "./search_items.js";
import { starItem } from "./star_item.js";
import { unstarItem } from "./unstar_item.js";

export const routes: Readonly<Record<string, Handler>> = {
  "GET /feeds": listFeeds,
  "GET /feeds/:feed": getFeed,
  "POST /feeds": addFeed,
  "PUT /feeds/:feed/title": renameFeed,
  "PUT /feeds/:feed/folder": moveFeed,
  "DELETE /feeds/:feed": removeFeed,
  "GET /feeds/:feed/items": listItems,
  "GET /feeds/:feed/items/:item": getItem,
  "PUT /feeds/:feed/items/:item/read": markRead,
  "PUT /feeds/:feed/read": markAllRead,
  "PUT /feeds/:feed/items/:item/star": starItem,
  "DELETE /feeds/:feed/items/:item/star": unstarItem,
  "GET /starred": listStarred,
  "GET /unread": listUnread,
  "GET /search": searchItems,
  "GET /folders": listFolders,
};
