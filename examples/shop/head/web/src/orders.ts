import { ordersPage, searchOrders } from "./api";
import type { OrderOut } from "./api.gen";

/** What the list of orders shows at the moment. */
export interface OrderList {
  orders: OrderOut[];
  page: number;
  words: string;
}

export async function show(list: OrderList, page: number): Promise<OrderList> {
  return { ...list, page, orders: await ordersPage(page) };
}

let asked = 0;

/** Searches as the customer types: an answer that a later question has overtaken is dropped. */
export async function search(list: OrderList, words: string): Promise<OrderList> {
  const question = ++asked;
  const orders = await searchOrders(words);
  return question === asked ? { ...list, words, orders } : list;
}
