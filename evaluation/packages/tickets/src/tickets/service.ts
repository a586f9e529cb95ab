/** What can be done with tickets. */

import { Invalid, NotFound } from "../errors.js";
import type { Notifier } from "../notify.js";
import type { Page, Status, Ticket, TicketDetail } from "../types.js";
import { PAGE, type TicketRepository } from "./repository.js";

const NEXT: Record<Status, readonly Status[]> = {
  open: ["waiting", "closed"],
  waiting: ["open", "closed"],
  closed: ["open"],
};

export class TicketService {
  constructor(
    private readonly tickets: TicketRepository,
    private readonly notifier: Notifier,
  ) {}

  async get(id: number): Promise<Ticket> {
    const ticket = await this.tickets.find(id);
    if (ticket === null) throw new NotFound(`no ticket ${id}`);
    return ticket;
  }

  async detail(id: number, withInternal: boolean): Promise<TicketDetail> {
    const ticket = await this.get(id);
    return { ...ticket, comments: await this.tickets.comments(id, withInternal) };
  }

  async page(projectId: number, cursor: string | null): Promise<Page<Ticket>> {
    const found = await this.tickets.after(projectId, cursor === null ? 0 : Number(cursor));
    const items = found.slice(0, PAGE);
    const last = items.at(-1);
    const nextCursor = found.length > PAGE && last !== undefined ? String(last.id) : null;
    return { items, nextCursor };
  }

  async move(id: number, status: Status): Promise<Ticket> {
    const ticket = await this.get(id);
    if (!NEXT[ticket.status].includes(status)) {
      throw new Invalid(`a ticket that is ${ticket.status} cannot become ${status}`);
    }
    await this.tickets.setStatus(id, status);
    await this.notifier.tell(await this.tickets.watchers(id), `${ticket.title} is ${status}`);
    return { ...ticket, status };
  }

  async assign(id: number, assignee: string | null): Promise<Ticket> {
    const ticket = await this.get(id);
    await this.tickets.assign(id, assignee);
    return { ...ticket, assignee };
  }
}
