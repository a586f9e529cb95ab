import type { Person } from "./people.js";
import { routes } from "./routes.js";

export interface Request {
  path: string;
  person: Person | undefined;
  fields: Record<string, string>;
}

export interface Answer {
  status: number;
  text: string;
}

export type Page = (request: Request) => Answer;

/** Answer a request. Pages decide by themselves who may see them. */
export function answer(request: Request): Answer {
  const page = routes[request.path];
  return page === undefined ? { status: 404, text: "no such page" } : page(request);
}
