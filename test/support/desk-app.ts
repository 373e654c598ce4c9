import { startWebApp, type SendOptions, type WebAppOptions, type WebReply } from './web-app.js';

/** A desk, its operator's key, and a way to ask it with that key. */
export async function startDesk(options: WebAppOptions = {}) {
  const app = await startWebApp({ desk: { claimUrl: '/claim', apiName: 'Audio API' }, ...options });
  const operator = await app.keys.create({ user: 'bob', scopes: ['keys:manage'] });
  const ask = (
    method: string,
    path: string,
    { headers, ...rest }: SendOptions = {},
  ): Promise<WebReply> =>
    app.send(method, `/keys/api/${path}`, {
      headers: { 'X-API-Key': operator.key, ...headers },
      ...rest,
    });
  return { ...app, operator, ask };
}
