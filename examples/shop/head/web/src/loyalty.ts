import { call } from "./api";

export interface Points {
  points: number;
  level: "bronze" | "silver" | "gold";
  next: { points: number; expiresAt: string } | null;
}

export function points(): Promise<Points> {
  return call<Points>("/loyalty");
}

const DAY_MS = 86_400_000;

/** Returns in how many days the next points expire, rounded up; null if none do. */
export function expiresInDays(account: Points, now: Date): number | null {
  if (account.next === null) {
    return null;
  }
  const left = Date.parse(account.next.expiresAt) - now.getTime();
  return Math.max(0, Math.ceil(left / DAY_MS));
}

export function headline(account: Points, now: Date): string {
  const days = expiresInDays(account, now);
  const total = `${account.points} points, ${account.level}`;
  if (days === null) {
    return total;
  }
  const when = days <= 1 ? "by tomorrow" : `in ${days} days`;
  return `${total}; ${account.next?.points} of them expire ${when}`;
}
