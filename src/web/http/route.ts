import type { IncomingMessage, ServerResponse } from 'node:http';
import { logFault } from '../../http/fault-log.js';
import { WebProblem, type WebProblemCode } from './problem.js';
import { decodePart } from './query.js';

/** Runs one method of one address. Errors that it throws are answered. */
export type Action = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** The methods that an address accepts. `HEAD` is accepted with `GET`. */
export type Methods = Readonly<Partial<Record<'GET' | 'POST', Action>>>;

/** Matches `/keys` and `/keys/<keyId>/rotate`. */
const addressPattern = /^\/(\w+)(?:\/([^/]+)\/(\w+))?$/;

/** The addresses of an API: `keys` is a list, and `keys/rotate` stands for `keys/<id>/rotate`. */
export type RouteTable = Readonly<Record<string, Methods | ((id: string) => Methods)>>;

/** Finds the methods of an address. `undefined` if there is none. */
export function routeTable(table: RouteTable): (path: string) => Methods | undefined {
  const routes = new Map(Object.entries(table));
  return (path) => {
    const [, list = '', id, verb] = addressPattern.exec(path) ?? [];
    const found = routes.get(id === undefined ? list : `${list}/${verb}`);
    return typeof found === 'function' ? found(decodePart(id!)) : found;
  };
}

/** The path below the mount, without the query. */
export function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?', 1)[0] || '/';
}

/**
 * Runs the method's action and answers every error. Never throws and never rejects.
 *
 * @param page the name of the page in the log if it fails
 */
export async function runMethod(
  methods: Methods,
  req: IncomingMessage,
  res: ServerResponse,
  page = 'the claim page or the key desk',
): Promise<void> {
  const action = methods[(req.method === 'HEAD' ? 'GET' : req.method) as keyof Methods];
  try {
    if (!action) {
      const allow = Object.keys(methods).flatMap((name) =>
        name === 'GET' ? ['GET', 'HEAD'] : [name],
      );
      throw new WebProblem('method_not_allowed', { headers: { Allow: allow.join(', ') } });
    }
    await action(req, res);
  } catch (error) {
    answerError(error, res, page);
  }
}

function answerError(error: unknown, res: ServerResponse, page: string): void {
  // The client may have gone, or somebody else may have answered.
  if (res.headersSent || res.destroyed) return;
  if (error instanceof WebProblem) {
    error.send(res);
    return;
  }
  const problem = new WebProblem('service_unavailable', { headers: { 'Retry-After': '5' } });
  logFault(new PageFault(problem.code, page, error));
  problem.send(res);
}

/** A fault behind a page, for the log, under the code that its client received. */
class PageFault extends Error {
  readonly code: WebProblemCode;

  constructor(code: WebProblemCode, page: string, cause: unknown) {
    super(`${page} could not answer a request`, { cause });
    this.code = code;
  }
}
