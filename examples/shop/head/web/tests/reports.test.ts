import { expect, it } from "vitest";

import { asFile, next, offered, previous } from "../src/reports";

it("goes over the end of a year and back", () => {
  expect(next({ year: 2025, month: 12 })).toEqual({ year: 2026, month: 1 });
  expect(previous({ year: 2026, month: 1 })).toEqual({ year: 2025, month: 12 });
});

it("offers the months that are complete", () => {
  const months = offered(new Date(2026, 2, 31));
  expect(months).toHaveLength(12);
  expect(months[0]).toEqual({ year: 2026, month: 2 });
  expect(months[11]).toEqual({ year: 2025, month: 3 });
});

it("names the file by what is in it", () => {
  expect(asFile("sales", { year: 2026, month: 2 }, "day").name).toBe("sales-2026-02.csv");
});
