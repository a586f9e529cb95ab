/** Errors that a handler turns into a status. */

export class NotFound extends Error {}

export class Forbidden extends Error {}

export class Invalid extends Error {}

export function statusOf(error: unknown): number {
  if (error instanceof NotFound) return 404;
  if (error instanceof Forbidden) return 403;
  if (error instanceof Invalid) return 400;
  return 500;
}
