/** Tickets in the database. */

import type { Db, Row } from "../db.js";
import type { Comment, Status, Ticket } from "../types.js";

export const PAGE = 50;

export class TicketRepository {
  constructor(private readonly db: Db) {}

  async find(id: number): Promise<Ticket | null> {
    const rows = await this.db.query("SELECT * FROM tickets WHERE id = $1", [id]);
    return rows[0] === undefined ? null : ticketOf(rows[0]);
  }

  /** Return the tickets of a project behind a cursor, one more than a page where there are more. */
  async after(projectId: number, cursor: number): Promise<Ticket[]> {
    const rows = await this.db.query(
      "SELECT * FROM tickets WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3",
      [projectId, cursor, PAGE + 1],
    );
    return rows.map(ticketOf);
  }

  async comments(ticketId: number, withInternal: boolean): Promise<Comment[]> {
    const rows = await this.db.query(
      "SELECT * FROM comments WHERE ticket_id = $1 AND (NOT internal OR $2) ORDER BY id",
      [ticketId, withInternal],
    );
    return rows.map(commentOf);
  }

  async watchers(ticketId: number): Promise<string[]> {
    const rows = await this.db.query("SELECT name FROM watchers WHERE ticket_id = $1", [ticketId]);
    return rows.map((row) => String(row.name));
  }

  async setStatus(id: number, status: Status): Promise<void> {
    await this.db.query("UPDATE tickets SET status = $2, updated_at = now() WHERE id = $1", [
      id,
      status,
    ]);
  }

  async assign(id: number, assignee: string | null): Promise<void> {
    await this.db.query("UPDATE tickets SET assignee = $2, updated_at = now() WHERE id = $1", [
      id,
      assignee,
    ]);
  }
}

function ticketOf(row: Row): Ticket {
  return {
    id: Number(row.id),
    projectId: Number(row.project_id),
    title: String(row.title),
    status: row.status as Status,
    assignee: row.assignee === null ? null : String(row.assignee),
    updatedAt: String(row.updated_at),
  };
}

function commentOf(row: Row): Comment {
  return {
    id: Number(row.id),
    ticketId: Number(row.ticket_id),
    author: String(row.author),
    text: String(row.text),
    internal: row.internal === true,
  };
}
