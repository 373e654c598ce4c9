import express, { type Express } from 'express';
import session from 'express-session';
import { generateApiKey, keyList } from 'require-api-key';
import supertest from 'supertest';
import { describe, expect, it } from 'vitest';
import { callerOf, logins, requireKeyOrLogin } from '../../examples/recipes/passport.js';
import { expectRefused } from '../support/expect-refused.js';

const alice = generateApiKey().key;
const source = keyList({ alice });

/** What a browser says of a request that a page of the site itself makes. */
const ownPage = { 'Sec-Fetch-Site': 'same-origin' };

interface Office {
  readonly app: Express;
  /** Names and passwords of people. */
  readonly passwords: Map<string, string>;
  /** Who reached the handler of `/uploads`. */
  readonly callers: (string | undefined)[];
}

function createOffice(): Office {
  const passwords = new Map([['bob', 'sesame']]);
  const callers: (string | undefined)[] = [];
  const people = {
    checkPassword: async (name: string, password: string) =>
      passwords.get(name) === password ? { name } : undefined,
    findUser: async (name: string) => (passwords.has(name) ? { name } : undefined),
  };
  const app = express();
  app.use(session({ secret: generateApiKey().key, resave: false, saveUninitialized: false }));
  app.use(express.json(), logins(people));
  app.all('/uploads', requireKeyOrLogin(source), (req, res) => {
    callers.push(callerOf(req));
    res.json({ user: callerOf(req) });
  });
  return { app, passwords, callers };
}

const logIn = (agent: ReturnType<typeof supertest.agent>, password = 'sesame') =>
  agent.post('/login').set(ownPage).send({ username: 'bob', password });

/** A browser in which Bob has logged in. */
async function startVisit() {
  const office = createOffice();
  const agent = supertest.agent(office.app);
  expect((await logIn(agent)).status).toBe(204);
  return { ...office, agent };
}

const refusal = (
  { status, headers, text }: supertest.Response,
  { callers }: Pick<Office, 'callers'>,
) => ({
  status,
  headers: headers as Record<string, string>,
  text,
  bytes: '',
  handlerRuns: callers.length,
});

describe('a route for people with a login and programs with a key', () => {
  it('neither login nor key -> 401 with the challenge for a key', async () => {
    const office = createOffice();
    const response = await supertest(office.app).get('/uploads');
    expectRefused(refusal(response, office), { status: 401, code: 'missing_api_key' });
  });

  it('a key and no login -> admitted as its owner', async () => {
    const response = await supertest(createOffice().app).get('/uploads').set('X-API-Key', alice);
    expect(response.body).toEqual({ user: 'alice' });
  });

  it('a login and no key -> admitted as the person, until the logout', async () => {
    const visit = await startVisit();
    expect((await visit.agent.get('/uploads')).body).toEqual({ user: 'bob' });
    expect((await visit.agent.post('/logout').set(ownPage)).status).toBe(204);
    const response = await visit.agent.get('/uploads');
    expectRefused(refusal(response, visit), {
      status: 401,
      code: 'missing_api_key',
      earlierRuns: 1,
    });
  });

  it('a login and a good key -> the owner of the key', async () => {
    const { agent } = await startVisit();
    expect((await agent.get('/uploads').set('X-API-Key', alice)).body).toEqual({ user: 'alice' });
  });

  it('a login and a bad key -> refused for the key', async () => {
    const visit = await startVisit();
    const response = await visit.agent.get('/uploads').set('X-API-Key', generateApiKey().key);
    expectRefused(refusal(response, visit), {
      status: 401,
      code: 'invalid_api_key',
      challenge: /^ApiKey realm="api", header="X-API-Key"/,
    });
  });

  it('a wrong password, or one of nobody -> no login', async () => {
    const office = createOffice();
    const agent = supertest.agent(office.app);
    expect((await logIn(agent, 'wrong')).status).toBe(401);
    office.passwords.clear();
    expect((await logIn(agent)).status).toBe(401);
    const response = await agent.get('/uploads');
    expectRefused(refusal(response, office), { status: 401, code: 'missing_api_key' });
  });

  it('somebody who is dismissed while logged in -> out with the next request', async () => {
    const visit = await startVisit();
    visit.passwords.delete('bob');
    const response = await visit.agent.get('/uploads');
    expectRefused(refusal(response, visit), { status: 401, code: 'missing_api_key' });
  });
});

describe('requests that the page of another site makes with the cookie of a login', () => {
  it.each(['cross-site', 'same-site', 'none', undefined])(
    'a change with Sec-Fetch-Site: %s -> refused, as without a login',
    async (site) => {
      const visit = await startVisit();
      const response = await visit.agent
        .post('/uploads')
        .set(site ? { 'Sec-Fetch-Site': site } : {});
      expectRefused(refusal(response, visit), { status: 401, code: 'missing_api_key' });
    },
  );

  it('a change that comes from a page of the site itself -> admitted', async () => {
    const { agent } = await startVisit();
    expect((await agent.post('/uploads').set(ownPage)).body).toEqual({ user: 'bob' });
  });

  it('a change with a key -> admitted, since no page has that', async () => {
    const request = supertest(createOffice().app).post('/uploads').set('X-API-Key', alice);
    expect((await request.set('Sec-Fetch-Site', 'cross-site')).body).toEqual({ user: 'alice' });
  });

  it('a login or a logout -> refused, and the login stays as it is', async () => {
    const { agent } = await startVisit();
    const crossSite = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await agent.post('/logout').set(crossSite)).status).toBe(403);
    const credentials = { username: 'bob', password: 'sesame' };
    expect((await agent.post('/login').set(crossSite).send(credentials)).status).toBe(403);
    expect((await agent.get('/uploads')).body).toEqual({ user: 'bob' });
  });
});
