/** The board: all tickets of a project in columns. */

import type { Status, Ticket } from "../types.js";
import type { Api } from "./api.js";

export type Columns = Record<Status, Ticket[]>;

export async function allTickets(api: Api, projectId: number): Promise<Ticket[]> {
  const found: Ticket[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.tickets(projectId, cursor);
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

export function columnsOf(tickets: readonly Ticket[]): Columns {
  const columns: Columns = { open: [], waiting: [], closed: [] };
  for (const ticket of tickets) columns[ticket.status].push(ticket);
  return columns;
}

export function label(ticket: Ticket): string {
  return ticket.assignee === null ? ticket.title : `${ticket.title} (${ticket.assignee})`;
}
