import { paths, type CouponOut, type OrderOut } from "./api.gen";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`/api${path}`, {
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
  if (!response.ok) {
    throw new ApiError(response.status, await response.text());
  }
  return (await response.json()) as T;
}

export function ordersPage(page: number): Promise<OrderOut[]> {
  return call<OrderOut[]>(`${paths.ordersPage}?page=${page}`);
}

export function searchOrders(words: string): Promise<OrderOut[]> {
  return call<OrderOut[]>(`${paths.searchOrders}?words=${encodeURIComponent(words)}`);
}

/** Resolves when the coupon can be used, rejects with an ApiError when it cannot. */
export function checkCoupon(code: string): Promise<CouponOut> {
  return call<CouponOut>(paths.checkCoupon, { method: "POST", body: JSON.stringify({ code }) });
}

/** Counts a step for statistics. */
export async function track(step: string): Promise<void> {
  await call<unknown>("/track", { method: "POST", body: JSON.stringify({ step }) });
}
