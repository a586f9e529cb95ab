import { expect, it } from "vitest";

import { expiresInDays } from "../src/loyalty";
import { sum } from "../src/money";
import { outstanding, type ReturnOut } from "../src/returns";

const now = new Date("2026-03-11T12:00:00Z");

function returned(state: ReturnOut["state"], refund: number): ReturnOut {
  return { number: 1, state, refund, currency: "EUR" };
}

it("adds up what is still to come", () => {
  const all = [returned("requested", 0.1), returned("approved", 0.2), returned("refunded", 5)];
  expect(outstanding(all)).toEqual(new Map([["EUR", 0.3]]));
});

it("adds without dust", () => {
  expect(sum([0.1, 0.2, 0.3])).toBe(0.6);
});

it("rounds the days up", () => {
  const next = { points: 5, expiresAt: "2026-03-12T13:00:00Z" };
  expect(expiresInDays({ points: 5, level: "bronze", next }, now)).toBe(2);
});
