/** Handlers: each checks the user, then asks the service. */

import { requireAgent, roleIn, type User } from "../auth.js";
import type { Cache } from "../cache.js";
import type { Db } from "../db.js";
import { Invalid } from "../errors.js";
import type { Page, Status, Ticket, TicketDetail } from "../types.js";
import type { TicketService } from "./service.js";

export interface Deps {
  db: Db;
  cache: Cache;
  service: TicketService;
}

export async function listTickets(
  deps: Deps,
  user: User,
  projectId: number,
  cursor: string | null,
): Promise<Page<Ticket>> {
  await roleIn(deps.db, user, projectId);
  return deps.cache.get(`page:${projectId}:${cursor ?? ""}`, () =>
    deps.service.page(projectId, cursor),
  );
}

export async function getTicket(deps: Deps, user: User, id: number): Promise<TicketDetail> {
  const ticket = await deps.service.get(id);
  const role = await roleIn(deps.db, user, ticket.projectId);
  return deps.service.detail(id, role === "agent");
}

export async function moveTicket(
  deps: Deps,
  user: User,
  id: number,
  status: string,
): Promise<Ticket> {
  const ticket = await deps.service.get(id);
  await roleIn(deps.db, user, ticket.projectId);
  const moved = await deps.service.move(id, statusFrom(status));
  deps.cache.drop(`page:${ticket.projectId}:`);
  return moved;
}

export async function assignTicket(
  deps: Deps,
  user: User,
  id: number,
  assignee: string | null,
): Promise<Ticket> {
  const ticket = await deps.service.get(id);
  await requireAgent(deps.db, user, ticket.projectId);
  const assigned = await deps.service.assign(id, assignee);
  deps.cache.drop(`page:${ticket.projectId}:`);
  return assigned;
}

function statusFrom(text: string): Status {
  if (text === "open" || text === "waiting" || text === "closed") return text;
  throw new Invalid(`no such status: ${text}`);
}
