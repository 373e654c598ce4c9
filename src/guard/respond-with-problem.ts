import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiKeyError } from '../keys/api-key-error.js';
import { setHeaders } from '../http/response-headers.js';

/**
 * Answers a refusal as `application/problem+json` (RFC 9457): `type`, `title`, `status`,
 * `detail`, `code`, and `error`, which repeats the title for clients that read that name. The
 * default of `onRefused`.
 *
 * Also an Express error handler: `app.use(respondWithProblem)` answers every `ApiKeyError`. It
 * passes other errors on, and any error if the answer has already begun.
 */
export function respondWithProblem(
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  if (error instanceof ApiKeyError && !res.headersSent) prepareProblem(error)(error, req, res);
  else next(error);
}

/** Prepares the answer to a refusal, for every request that is refused in the same way. */
export function prepareProblem({ code, status, title, message: detail, headers }: ApiKeyError) {
  const type = `urn:require-api-key:${code}`;
  const body = JSON.stringify({ type, title, status, detail, code, error: title });
  return (_error: ApiKeyError, _req: IncomingMessage, res: ServerResponse): void => {
    res.statusCode = status;
    setHeaders(res, headers);
    res.setHeader('Content-Type', 'application/problem+json');
    res.setHeader('Content-Length', Buffer.byteLength(body));
    res.end(body);
  };
}
