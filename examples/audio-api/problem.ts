import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

/** A refusal of this app, answered in the same shape as those of `requireApiKey` (RFC 9457). */
export class Problem extends Error {
  override name = 'Problem';

  constructor(readonly answer: { status: number; code: string; title: string; detail: string }) {
    super(`${answer.title}: ${answer.detail}`);
  }
}

export function sendProblem(
  res: Response,
  { answer: { status, code, title, detail } }: Problem,
): void {
  res.status(status).set('Cache-Control', 'no-store').type('application/problem+json');
  res.send(
    JSON.stringify({ type: `urn:audio-api:${code}`, title, status, detail, code, error: title }),
  );
}

export const notFound: RequestHandler = () => {
  throw new Problem({
    status: 404,
    code: 'not_found',
    title: 'Not found',
    detail: 'There is nothing under this method and path.',
  });
};

export const answerErrors: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error);
  const problem = asProblem(error);
  // The request log picks the error up from here; the client learns only that there was one.
  if (problem.answer.status >= 500)
    res.err = error instanceof Error ? error : new Error(String(error));
  sendProblem(res, problem);
};

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status = clientErrorStatus(error);
  if (status !== undefined) {
    const title = STATUS_CODES[status] ?? 'Bad Request';
    return new Problem({
      status,
      code: 'bad_request',
      title,
      detail: 'The request could not be understood.',
    });
  }
  return new Problem({
    status: 500,
    code: 'internal_error',
    title: 'Internal error',
    detail: 'The request failed on our side.',
  });
}

/**
 * Express marks what the client did wrong, such as a path that does not decode, with a 4xx
 * `status`.
 */
function clientErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number')
    return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
