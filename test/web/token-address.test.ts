import { expect, it } from 'vitest';
import { startWebApp } from '../support/web-app.js';

it.each(['/claim/claim', '/claim/describe'])(
  'a token in the query, the path, a header or a cookie of %s -> not read, and the link stays open',
  async (path) => {
    const { keys, send } = await startWebApp();
    const { token } = await keys.createClaim({ user: 'alice' });
    const elsewhere = [
      await send('POST', `${path}?token=${token}`, { body: {} }),
      await send('POST', `${path}/${token}`, { body: {} }),
      await send('GET', `${path}?token=${token}`),
      await send('POST', path, {
        body: {},
        headers: { Token: token, Authorization: `Bearer ${token}` },
      }),
      await send('POST', path, { body: {}, headers: { Cookie: `token=${token}` } }),
    ];
    for (const { status, text } of elsewhere) {
      expect([404, 405]).toContain(status);
      expect(text).not.toContain('key_');
    }
    expect(await keys.list()).toEqual([]);
    expect((await send('POST', path, { body: { token } })).status).toBeLessThan(300);
  },
);
