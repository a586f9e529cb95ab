import { ApiError, call } from "./api";
import { money, sum } from "./money";

export interface ReturnedArticle {
  sku: string;
  quantity: number;
}

export interface ReturnOut {
  number: number;
  state: "requested" | "approved" | "refunded" | "refused";
  refund: number;
  currency: string;
}

const badges: Record<ReturnOut["state"], { text: string; colour: string }> = {
  requested: { text: "On its way to us", colour: "grey" },
  approved: { text: "Arrived, your money is on its way", colour: "blue" },
  refunded: { text: "Paid back", colour: "green" },
  refused: { text: "Sent back to you", colour: "red" },
};

export async function startReturn(
  order: number,
  articles: ReturnedArticle[],
  reason: string,
): Promise<ReturnOut> {
  const chosen = articles.filter((article) => article.quantity > 0);
  if (chosen.length === 0) {
    throw new Error("choose what you want to send back");
  }
  return call<ReturnOut>("/returns", {
    method: "POST",
    body: JSON.stringify({ order, articles: chosen, reason }),
  });
}

export function listReturns(): Promise<ReturnOut[]> {
  return call<ReturnOut[]>("/returns");
}

/** One line for each return: its number, how far it is, and what the customer gets. */
export function lines(returned: readonly ReturnOut[], language: string): string[] {
  return returned.map((one) => {
    const badge = badges[one.state];
    const amount = money(one.refund, one.currency, language);
    return `#${one.number} ${badge.text} (${badge.colour}) ${amount}`;
  });
}

/** What is still to come, by currency. */
export function outstanding(returned: readonly ReturnOut[]): Map<string, number> {
  const open = new Map<string, number[]>();
  for (const one of returned) {
    if (one.state === "requested" || one.state === "approved") {
      open.set(one.currency, [...(open.get(one.currency) ?? []), one.refund]);
    }
  }
  return new Map([...open].map(([currency, amounts]) => [currency, sum(amounts)]));
}

/** Says why a return was not taken, in the words of the shop where there are any. */
export function explained(error: unknown): string {
  if (error instanceof ApiError && error.status < 500) {
    return error.message;
  }
  return "This did not work. Please try again in a moment.";
}
