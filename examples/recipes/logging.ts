/*
 * Logging with pino: one line a request that says whose key it was, and never the key.
 *
 *   app.use(requestLog(), requireApiKey());
 *
 * The log stands in front of the guard so that it has refusals too. There it sees the header: it
 * has to redact it. With a `header` of your own, put that into `redact`, in lower case.
 */
import type { IncomingMessage } from 'node:http';
import { pinoHttp, type Options } from 'pino-http';
import type { ApiKey } from 'require-api-key';

const options: Options = {
  redact: [
    'req.headers["x-api-key"]',
    'req.headers.authorization',
    'req.headers.cookie',
    'res.headers["set-cookie"]',
  ],
  // Read when the request is over; the guard has said by then who calls.
  customProps: ({ apiKey }: IncomingMessage & { apiKey?: ApiKey }) =>
    apiKey ? { user: apiKey.user, keyId: apiKey.keyId } : {},
};

export const requestLog = (stream?: { write(line: string): void }) =>
  stream ? pinoHttp(options, stream) : pinoHttp(options);
