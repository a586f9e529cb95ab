import { call } from "./api";
import { paths } from "./api.gen";
import type { Cart } from "./cart";

export interface Placed {
  number: number;
}

export async function checkout(cart: Cart, country: string): Promise<Placed> {
  if (cart.lines.length === 0) {
    throw new Error("the cart is empty");
  }
  return call<Placed>(paths.place, {
    method: "POST",
    body: JSON.stringify({ ...cart, country }),
  });
}
