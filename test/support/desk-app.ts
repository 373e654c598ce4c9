import { expectDescribed } from './openapi.js';
import { startWebApp, type SendOptions, type WebAppOptions, type WebReply } from './web-app.js';

/** A desk, its operator's key, and a way to ask it with that key. */
export async function startDesk(options: WebAppOptions = {}) {
  const app = await startWebApp({ desk: { claimUrl: '/claim', apiName: 'Audio API' }, ...options });
  const operator = await app.keys.create({ user: 'bob', scopes: ['keys:manage'] });
  /** Asks the API, and expects the answer to be as the folder openapi describes it. */
  const ask = async (
    method: string,
    path: string,
    { headers, ...rest }: SendOptions = {},
  ): Promise<WebReply> => {
    const reply = await app.send(method, `/keys/api/${path}`, {
      headers: { 'X-API-Key': operator.key, ...headers },
      ...rest,
    });
    expectDescribed('key-desk', { method, path: `/api/${path}`, body: rest.body }, reply);
    return reply;
  };
  return { ...app, operator, ask };
}
