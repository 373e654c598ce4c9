import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express5, { type RequestHandler } from 'express';
import { onTestFinished } from 'vitest';
import { requireApiKey, type ApiKeyManager } from '../../src/index.js';
import { accountKeys, type AccountKeysOptions } from '../../src/web.js';
import type { CreateExpress } from './guarded-app.js';
import { expectDescribed } from './openapi.js';
import { memoryKeys, sendTo, type SendOptions, type WebReply } from './web-app.js';

export interface AccountAppOptions {
  readonly express?: CreateExpress;
  readonly keys?: ApiKeyManager;
  readonly account?: Partial<Omit<AccountKeysOptions, 'keys'>>;
  /** What stands in front of the page. */
  readonly before?: readonly RequestHandler[];
}

const scopes = ['audio:read', 'audio:write'];

/**
 * An app with the account page, in which a header stands for the session, until the test is over.
 */
export async function startAccount({
  express = express5,
  keys = memoryKeys(),
  account,
  before = [],
}: AccountAppOptions = {}) {
  const app = express();
  for (const middleware of before) app.use(middleware);
  const userOf = (req: { headers: object }) => (req.headers as { person?: string }).person;
  const options = { apiName: 'Audio API', exampleUrl: '/hello', userOf, scopesFor: () => scopes };
  app.use('/account/keys', accountKeys({ keys, ...options, ...account }));
  app.get('/hello', requireApiKey({ source: keys }), (req, res) => {
    res.json({ message: `Hello, ${req.apiKey?.user}!` });
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await keys.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = sendTo(port);
  /** Asks the API as a user, and expects the answer to be as the folder openapi describes it. */
  const as =
    (person: string) =>
    async (
      method: string,
      path: string,
      { headers, ...rest }: SendOptions = {},
    ): Promise<WebReply> => {
      const reply = await send(method, `/account/keys/api/${path}`, {
        headers: { person, ...headers },
        ...rest,
      });
      expectDescribed('account-keys', { method, path: `/api/${path}`, body: rest.body }, reply);
      return reply;
    };
  const hello = async (key: string) =>
    (await send('GET', '/hello', { headers: { 'X-API-Key': key } })).status;
  return { keys, port, url: `http://127.0.0.1:${port}`, send, as, hello };
}

/** What the API answers when it has made a key. */
export interface MadeKey {
  readonly key: string;
  readonly record: { readonly keyId: string; readonly scopes: readonly string[] };
}

/** Makes a key as a user, and expects that it succeeds. */
export async function makeKey(
  ask: (method: string, path: string, options?: SendOptions) => Promise<WebReply>,
  fields: object = {},
): Promise<MadeKey> {
  const reply = await ask('POST', 'keys', { body: { name: 'laptop', ...fields } });
  if (reply.status !== 201) throw new Error(reply.text);
  return reply.json as unknown as MadeKey;
}
