import { describe, expect, it } from "vitest";
import { add, subtotal, type Cart } from "../src/cart";

const empty: Cart = { lines: [], currency: "EUR" };

describe("cart", () => {
  it("adds up the same article", () => {
    const once = add(empty, { sku: "lamp", unitPrice: 20, quantity: 1 });
    const twice = add(once, { sku: "lamp", unitPrice: 20, quantity: 2 });
    expect(twice.lines).toEqual([{ sku: "lamp", unitPrice: 20, quantity: 3 }]);
  });

  it("is free when it is empty", () => {
    expect(subtotal(empty)).toBe(0);
  });

  it.only("keeps different articles apart", () => {
    const lamp = add(empty, { sku: "lamp", unitPrice: 20, quantity: 1 });
    const both = add(lamp, { sku: "bulb", unitPrice: 3, quantity: 4 });
    expect(subtotal(both)).toBe(32);
  });
});
