import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import { pinoHttp } from 'pino-http';

/** Where the log lines go: anything with `write`, such as `process.stderr`. */
export interface LogStream {
  write(line: string): void;
}

/**
 * One line for every answered request: method, route, status, time taken, and whose key it was.
 *
 * What is logged is listed here, rather than what is left out: a key sent in a header nobody
 * thought of, or in the URL, is then not logged either. So it is the route's pattern that is
 * logged, never the URL.
 */
export function requestLog(stream: LogStream) {
  return pinoHttp(
    {
      quietReqLogger: true,
      quietResLogger: true,
      serializers: {
        req: ({ id, method, raw }: { id: unknown; method: string; raw: Request }) => ({
          id,
          method,
          route: typeof raw.route?.path === 'string' ? raw.route.path : null,
        }),
        res: ({ statusCode }: { statusCode: number | null }) => ({ statusCode }),
      },
      customSuccessObject: (req, _res, values: object) => ({ req, ...values, ...caller(req) }),
      customErrorObject: (req, _res, _error, values: object) => ({
        req,
        ...values,
        ...caller(req),
      }),
      customLogLevel: (_req: IncomingMessage, res: ServerResponse) =>
        res.statusCode >= 500 ? 'error' : 'info',
    },
    stream,
  );
}

function caller(req: IncomingMessage): { user?: string; keyId?: string } {
  const { apiKey } = req as Request;
  return apiKey === undefined ? {} : { user: apiKey.user, keyId: apiKey.keyId };
}
