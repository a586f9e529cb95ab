/** What server and client exchange. */

export type Status = "open" | "waiting" | "closed";

export interface Ticket {
  id: number;
  projectId: number;
  title: string;
  status: Status;
  assignee: string | null;
  updatedAt: string;
}

export interface Comment {
  id: number;
  ticketId: number;
  author: string;
  text: string;
  internal: boolean;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface TicketDetail extends Ticket {
  comments: Comment[];
}
