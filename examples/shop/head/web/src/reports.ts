import { call } from "./api";

export type Report = "sales" | "returns" | "reasons";

/** A month of the calendar; January is 1. */
export interface Month {
  year: number;
  month: number;
}

export function next({ year, month }: Month): Month {
  return month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 };
}

export function previous({ year, month }: Month): Month {
  return month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
}

/** The last twelve months that are complete, the latest first: what the page offers. */
export function offered(today: Date): Month[] {
  const months: Month[] = [];
  let month = previous({ year: today.getFullYear(), month: today.getMonth() + 1 });
  while (months.length < 12) {
    months.push(month);
    month = previous(month);
  }
  return months;
}

function named({ year, month }: Month): string {
  return `${year}-${String(month).padStart(2, "0")}`;
}

/** Fetches the report of one month: from its first day up to the first of the month after it. */
export function fetchReport(report: Report, month: Month): Promise<string> {
  const query = new URLSearchParams({ from: `${named(month)}-01`, to: `${named(next(month))}-01` });
  return call<string>(`/reports/${report}?${query.toString()}`);
}

/** The report as a file; without the mark at its beginning Excel would not read it as UTF-8. */
export function asFile(report: Report, month: Month, table: string): File {
  return new File(["\ufeff", table], `${report}-${named(month)}.csv`, { type: "text/csv" });
}
