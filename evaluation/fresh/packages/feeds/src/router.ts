/** Finds the handler of a request and answers for its errors. */

import { type Answer, BadRequest, type Handler, NotFound, type Request } from "./http.js";
import { routes } from "./routes/index.js";
import type { Store } from "./store.js";

/** Answers a request; its `params` are found here. */
export async function answer(request: Omit<Request, "params">, store: Store): Promise<Answer> {
  const found = find(request.method, request.path);
  if (found === undefined) {
    return { status: 404, body: { error: "no such route" } };
  }
  try {
    return await found.handler({ ...request, params: found.params }, store);
  } catch (error) {
    if (error instanceof NotFound) {
      return { status: 404, body: { error: error.message } };
    }
    if (error instanceof BadRequest) {
      return { status: 400, body: { error: error.message } };
    }
    console.error(`${request.method} ${request.path} failed`, error);
    return { status: 500, body: { error: "this went wrong here" } };
  }
}

interface Found {
  readonly handler: Handler;
  readonly params: Record<string, string>;
}

function find(method: string, path: string): Found | undefined {
  const parts = path.split("/");
  for (const [route, handler] of Object.entries(routes)) {
    const [wanted = "", pattern = ""] = route.split(" ");
    const params = wanted === method ? match(pattern.split("/"), parts) : undefined;
    if (params !== undefined) {
      return { handler, params };
    }
  }
  return undefined;
}

function match(pattern: string[], parts: string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) {
    return undefined;
  }
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const wanted = pattern[index] ?? "";
    if (wanted.startsWith(":")) {
      params[wanted.slice(1)] = part;
    } else if (wanted !== part) {
      return undefined;
    }
  }
  return params;
}
