import { createServer } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import session from 'express-session';
import { ApiKeyManager, MemoryKeyStore } from 'require-api-key';
import supertest from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { accountByPassport } from '../../examples/recipes/account-passport.js';
import { accountByProxy } from '../../examples/recipes/account-proxy.js';
import { accountBySession } from '../../examples/recipes/account-session.js';
import { logins } from '../../examples/recipes/passport.js';

const scopesFor = () => ['audio:read'];
const sessions = (): RequestHandler =>
  session({ secret: 'x'.repeat(32), resave: false, saveUninitialized: false });
const ownPage = { 'Sec-Fetch-Site': 'same-origin' };

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as unknown as typeof express],
])('the account page in an application, on %s', (_version, create) => {
  /** Makes a key as whoever the agent is, and lists their keys. */
  async function makeKey(agent: ReturnType<typeof supertest.agent>, user: string) {
    const made = await agent
      .post('/account/keys/api/keys')
      .set(ownPage)
      .send({ name: 'laptop', scopes: ['audio:read'] })
      .expect(201);
    expect(made.body).toMatchObject({ record: { user, name: 'laptop' } });
    const listed = await agent.get('/account/keys/api/keys').expect(200);
    expect((listed.body as { keys: unknown[] }).keys).toHaveLength(1);
  }

  function start(mount: (app: Express, keys: ApiKeyManager) => void) {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const app = create();
    mount(app, keys);
    // A server for each request, closed by supertest.
    return { keys, app, agent: () => supertest.agent(app) };
  }

  it('behind express-session -> the keys of who is logged in; others are led to the login', async () => {
    const { agent } = start((app, keys) => {
      app.use(sessions());
      app.post('/login/:user', (req, res) => {
        req.session.user = req.params.user;
        res.sendStatus(204);
      });
      app.use('/account/keys', accountBySession(keys, { scopesFor }));
    });
    const stranger = agent();
    await stranger.get('/account/keys').expect(302).expect('Location', '/login');
    await stranger.get('/account/keys/api/keys').expect(401);
    for (const user of ['alice', 'bob']) {
      const browser = agent();
      await browser.post(`/login/${user}`).expect(204);
      await browser.get('/account/keys').expect(200);
      await makeKey(browser, user);
    }
  });

  it('behind passport -> the keys of who is logged in, until they are dismissed', async () => {
    const people = new Set(['alice']);
    const { agent } = start((app, keys) => {
      app.use(sessions(), express.json());
      const find = async (name: string) => (people.has(name) ? { name } : undefined);
      app.use(logins({ checkPassword: find, findUser: find }));
      app.use('/account/keys', accountByPassport(keys, { scopesFor }));
    });
    await agent().get('/account/keys/api/keys').expect(401);
    const browser = agent();
    const login = { username: 'alice', password: 'x' };
    await browser.post('/login').set(ownPage).send(login).expect(204);
    await makeKey(browser, 'alice');
    people.clear();
    await browser.get('/account/keys/api/keys').expect(401);
  });

  it("behind a proxy -> the keys of the header's user, if the connection is the proxy's own", async () => {
    const header = 'X-Forwarded-User';
    const { agent } = start((app, keys) => {
      app.use(
        '/account/keys',
        accountByProxy(keys, {
          header,
          proxies: ['127.0.0.0/8', '::1', '::ffff:127.0.0.1'],
          scopesFor,
        }),
      );
    });
    await agent().get('/account/keys/api/keys').expect(401);
    await agent().get('/account/keys/api/keys').set(header, '').expect(401);
    await makeKey(agent().set(header, 'alice'), 'alice');
  });

  it('a header from somebody who is not the proxy -> nobody, whatever they write', async () => {
    const header = 'X-Forwarded-User';
    const { agent } = start((app, keys) => {
      app.set('trust proxy', true);
      app.use('/account/keys', accountByProxy(keys, { header, proxies: ['10.0.5.0/24'] }));
    });
    const spoofed = { [header]: 'alice', 'X-Forwarded-For': '10.0.5.1' };
    await agent().get('/account/keys/api/keys').set(spoofed).expect(401);
  });

  it('a proxy that adds its header to the client’s -> 503, and nobody’s keys', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const { app } = start((mounted, keys) => {
      const options = { header: 'X-User', proxies: ['127.0.0.1', '::ffff:127.0.0.1'] };
      mounted.use('/account/keys', accountByProxy(keys, options));
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await supertest(server)
      .get('/account/keys/api/keys')
      .set('X-User', ['alice', 'bob'] as unknown as string)
      .expect(503);
  });
});
