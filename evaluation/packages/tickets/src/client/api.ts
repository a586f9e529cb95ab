/** The server as the client sees it. */

import type { Page, Ticket, TicketDetail } from "../types.js";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Api {
  constructor(
    private readonly root: string,
    private readonly fetcher: typeof fetch = fetch,
  ) {}

  tickets(projectId: number, cursor: string | null): Promise<Page<Ticket>> {
    const query = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    return this.call(`/projects/${projectId}/tickets${query}`);
  }

  ticket(id: number): Promise<TicketDetail> {
    return this.call(`/tickets/${id}`);
  }

  move(id: number, status: string): Promise<Ticket> {
    return this.call(`/tickets/${id}/status`, { status });
  }

  assign(id: number, assignee: string | null): Promise<Ticket> {
    return this.call(`/tickets/${id}/assignee`, { assignee });
  }

  private async call<T>(path: string, body?: unknown): Promise<T> {
    const answer = await this.fetcher(this.root + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new ApiError(answer.status, await answer.text());
    return (await answer.json()) as T;
  }
}
