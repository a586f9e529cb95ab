/** What handlers are asked and what they answer. */

import type { Store } from "./store.js";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** Answers a request. What it throws is answered by the router. */
export type Handler = (request: Request, store: Store) => Promise<Answer>;

/** What was asked for is not there: 404. */
export class NotFound extends Error {}

/** What was sent does not fit: 400. */
export class BadRequest extends Error {}

/** A parameter of the path; it is there if the route has it. */
export function param(request: Request, name: string): string {
  const value = request.params[name];
  if (value === undefined) {
    throw new Error(`the route has no ${name}`);
  }
  return value;
}

/** A text of the body that is not empty. */
export function text(request: Request, name: string): string {
  const { body } = request;
  const value = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  if (typeof value !== "string" || value.trim() === "") {
    throw new BadRequest(`${name} is missing`);
  }
  return value.trim();
}
