export interface CartLine {
  sku: string;
  unitPrice: number;
  quantity: number;
}

export interface Cart {
  lines: CartLine[];
  currency: string;
}

export function add(cart: Cart, line: CartLine): Cart {
  const known = cart.lines.find((other) => other.sku === line.sku);
  if (known === undefined) {
    return { ...cart, lines: [...cart.lines, line] };
  }
  const merged = { ...known, quantity: known.quantity + line.quantity };
  return { ...cart, lines: cart.lines.map((other) => (other === known ? merged : other)) };
}

export function subtotal(cart: Cart): number {
  return cart.lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
}
