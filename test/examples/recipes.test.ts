import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { context, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';
import express, { type Express, type RequestHandler } from 'express';
import session from 'express-session';
import { Registry } from 'prom-client';
import {
  ApiKeyManager,
  apiKeyOf,
  generateApiKey,
  keyList,
  MemoryKeyStore,
  requireApiKey,
} from 'require-api-key';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { requestLog } from '../../examples/recipes/logging.js';
import { countKeyUse } from '../../examples/recipes/metrics.js';
import { apiDocs } from '../../examples/recipes/openapi.js';
import { limitFailedAttempts, limitRequestsPerUser } from '../../examples/recipes/rate-limits.js';
import { callerOf, requireKeyOrSession } from '../../examples/recipes/sessions.js';
import { describeKeyInSpans } from '../../examples/recipes/tracing.js';
import { guardUpgrades } from '../../examples/recipes/web-socket.js';

const alice = generateApiKey();
const bob = generateApiKey();
const source = keyList({ alice: alice.key, bob: bob.key });
const guard = requireApiKey({ source });

const greet: RequestHandler = (req, res) => void res.json(apiKeyOf(req).user);

/** `/hello` behind what is given. */
function appOf(...handlers: RequestHandler[]): Express {
  const app = express();
  app.get('/hello', ...handlers, greet);
  return app;
}

const call = (app: Express, key?: string) =>
  supertest(app)
    .get('/hello')
    .set(key === undefined ? {} : { 'X-API-Key': key });

const statuses = async (times: number, send: () => PromiseLike<{ status: number }>) => {
  const seen: number[] = [];
  for (let i = 0; i < times; i++) seen.push((await send()).status);
  return seen;
};

describe('rate limits', () => {
  it('an address past its limit -> told to wait for what is left of the window', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const app = appOf(limitFailedAttempts({ limit: 1 }), guard);
    await call(app, 'wrong');
    vi.setSystemTime(Date.now() + 45_000);
    const refused = await call(app, alice.key);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '15']);
    vi.setSystemTime(Date.now() + 15_000);
    expect((await call(app, alice.key)).status).toBe(200);
  });

  it('failed attempts past the limit -> 429 for that address, its good keys too; good requests never count', async () => {
    const app = appOf(limitFailedAttempts({ limit: 2 }), guard);
    expect(await statuses(4, () => call(app, alice.key))).toEqual([200, 200, 200, 200]);
    expect(await statuses(3, () => call(app, 'wrong'))).toEqual([401, 401, 429]);
    const response = await call(app, alice.key);
    expect(response.status).toBe(429);
    expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  it('one user past the limit -> 429 for that user alone', async () => {
    const app = appOf(guard, limitRequestsPerUser({ limit: 2 }));
    expect(await statuses(3, () => call(app, alice.key))).toEqual([200, 200, 429]);
    expect((await call(app, bob.key)).status).toBe(200);
  });

  it('a key with a limit in its metadata -> that limit, counted with the other keys of its user', async () => {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const few = await keys.create({ user: 'carol', metadata: { requestsPerMinute: 2 } });
    const many = await keys.create({ user: 'carol', metadata: { requestsPerMinute: 4 } });
    const app = appOf(requireApiKey({ source: keys }), limitRequestsPerUser({ limit: 1 }));
    expect(await statuses(3, () => call(app, few.key))).toEqual([200, 200, 429]);
    expect(await statuses(2, () => call(app, many.key))).toEqual([200, 429]);
  });

  it.each([
    ['missing', {}],
    ['zero', { requestsPerMinute: 0 }],
    ['negative', { requestsPerMinute: -5 }],
    ['a fraction', { requestsPerMinute: 1.5 }],
    ['a text', { requestsPerMinute: '1000' }],
    ['null', { requestsPerMinute: null }],
    ['a list', { requestsPerMinute: [1000] }],
    ['as good as none', { requestsPerMinute: 1e12 }],
  ])('a limit in the metadata that is %s -> the default', async (_, metadata) => {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const { key } = await keys.create({ user: 'carol', metadata });
    const app = appOf(requireApiKey({ source: keys }), limitRequestsPerUser({ limit: 2 }));
    expect(await statuses(3, () => call(app, key))).toEqual([200, 200, 429]);
  });
});

describe('logging', () => {
  it('requests with a good, a bad and no key -> lines with the key id of the first, and no key in any', async () => {
    let log = '';
    const app = appOf(requestLog({ write: (line) => (log += line) }), guard);
    await call(app, alice.key);
    await call(app, 'wrong-key');
    await call(app);
    const lines = log
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { keyId?: string; user?: string; res: { statusCode: number } },
      );
    expect(lines.map(({ keyId, user, res }) => [res.statusCode, user, keyId])).toEqual([
      [200, 'alice', 'alice#1'],
      [401, undefined, undefined],
      [401, undefined, undefined],
    ]);
    expect(log).not.toContain(alice.key);
    expect(log).not.toContain('wrong-key');
  });

  it('a request and an answer with cookies -> a line without them', async () => {
    let log = '';
    const setCookie: RequestHandler = (_req, res, next) => {
      res.cookie('session', 'made-here');
      next();
    };
    const app = appOf(requestLog({ write: (line) => (log += line) }), guard, setCookie);
    await call(app, alice.key).set('Cookie', 'session=brought-along');
    expect(log).toContain('[Redacted]');
    expect(log).not.toMatch(/made-here|brought-along/);
  });
});

describe('metrics', () => {
  it('guarded requests -> counted by outcome, code and source until counting is stopped', async () => {
    const registry = new Registry();
    const stop = countKeyUse(registry);
    onTestFinished(stop);
    vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const failing = requireApiKey({
      source: () => {
        throw new Error('away');
      },
      onRefused: (error, _req, res) => void res.status(error.status).end(),
    });
    await call(appOf(guard), alice.key);
    await call(appOf(guard));
    await call(appOf(failing), alice.key);
    const metrics = await registry.metrics();
    expect(metrics).toContain('api_key_requests_total{outcome="admitted",code="",source="list"} 1');
    expect(metrics).toContain(
      'api_key_requests_total{outcome="refused",code="missing_api_key",source=""} 1',
    );
    expect(metrics).toMatch(/api_key_faults_total\{reason="source_threw",source="\w*"\} 1/);
    expect(metrics).toMatch(/api_key_check_seconds_count 3/);
    stop();
    await call(appOf(guard), alice.key);
    expect(await registry.metrics()).toBe(metrics);
  });
});

describe('tracing', () => {
  // As much of an SDK as it takes to have an active span.
  const contexts = new AsyncLocalStorage<Context>();
  beforeAll(() => {
    context.setGlobalContextManager({
      active: () => contexts.getStore() ?? ROOT_CONTEXT,
      with: (active, run, self, ...args) => contexts.run(active, () => run.apply(self, args)),
      bind: (_active, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    });
  });
  afterAll(() => context.disable());

  it('a guarded request within a span -> its attributes say whose key it was, or why it was refused', async () => {
    onTestFinished(describeKeyInSpans());
    const attributes: Record<string, unknown>[] = [];
    const startSpan: RequestHandler = (_req, _res, next) => {
      const seen: Record<string, unknown> = {};
      attributes.push(seen);
      const span = { setAttribute: (name: string, value: unknown) => (seen[name] = value) };
      context.with(trace.setSpan(context.active(), span as unknown as Span), () => next());
    };
    const app = appOf(startSpan, guard);
    await call(app, alice.key);
    await call(app, 'wrong');
    expect(attributes).toEqual([
      { 'api_key.user': 'alice', 'api_key.id': 'alice#1', 'api_key.source': 'list' },
      { 'api_key.refused': 'invalid_api_key', 'api_key.reason': 'unknown_key' },
    ]);
  });
});

describe('OpenAPI', () => {
  const app = express().use(apiDocs());

  it('the document -> describes the header that the guard reads, on every route', async () => {
    const { body } = (await supertest(app).get('/openapi.json')) as {
      body: { components: { securitySchemes: Record<string, object> }; security: object[] };
    };
    expect(body.components.securitySchemes['apiKey']).toMatchObject({
      type: 'apiKey',
      in: 'header',
      name: 'X-API-Key',
    });
    expect(body.security).toEqual([{ apiKey: [] }]);
  });

  it('Swagger UI -> shows that document, without a key', async () => {
    const page = await supertest(app).get('/docs/');
    expect(page.status).toBe(200);
    expect(page.text).toContain('swagger-ui');
    expect((await supertest(app).get('/docs/swagger-ui-init.js')).text).toContain('X-API-Key');
  });
});

describe('sessions', () => {
  function appWithLogin(): Express {
    const app = express();
    app.use(session({ secret: generateApiKey().key, resave: false, saveUninitialized: false }));
    app.post('/login', (req, res) => {
      req.session.user = 'bob';
      res.end();
    });
    app.get('/hello', requireKeyOrSession(source), (req, res) => void res.json(callerOf(req)));
    return app;
  }

  it('neither session nor key -> 401; a key -> its owner; a session -> its user', async () => {
    const agent = supertest.agent(appWithLogin());
    expect((await agent.get('/hello')).status).toBe(401);
    expect((await agent.get('/hello').set('X-API-Key', alice.key)).body).toBe('alice');
    await agent.post('/login');
    expect((await agent.get('/hello')).body).toBe('bob');
  });

  it('a session and a key -> the key decides, a bad one too', async () => {
    const agent = supertest.agent(appWithLogin());
    await agent.post('/login');
    expect((await agent.get('/hello').set('X-API-Key', alice.key)).body).toBe('alice');
    expect((await agent.get('/hello').set('X-API-Key', 'wrong')).status).toBe(401);
  });
});

describe('WebSocket', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    // Answers late, as a database would.
    const slow = async (key: string) => source.verify(key, {} as never);
    guardUpgrades(server, requireApiKey({ source: slow }), sockets);
    sockets.on('connection', (socket, req) => socket.send(`hello ${apiKeyOf(req).user}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('an upgrade with a good key -> a connection that knows whose it is', async () => {
    const client = new WebSocket(url, { headers: { 'X-API-Key': alice.key } });
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('hello alice');
    client.terminate();
  });

  it('a refused upgrade of a client that keeps its end open -> the server closes', async () => {
    const client = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    onTestFinished(() => void client.destroy());
    client.write(
      'GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    client.resume();
    await once(client, 'end');
  });

  it.each([
    ['without a key', {}, 'missing_api_key'],
    ['with a wrong key', { 'X-API-Key': generateApiKey().key }, 'invalid_api_key'],
  ])(
    'an upgrade %s -> 401 with a challenge, and no connection',
    async (_situation, headers, code) => {
      const client = new WebSocket(url, { headers });
      const [, response] = (await once(client, 'unexpected-response')) as [
        unknown,
        IncomingMessage,
      ];
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toContain('X-API-Key');
      const chunks = await response.toArray();
      expect(JSON.parse(Buffer.concat(chunks as Buffer[]).toString())).toMatchObject({ code });
      expect(response.complete).toBe(true);
    },
  );
});

describe('Render', () => {
  it('what Render generates, 256 bits in base64 -> a key that the guard takes', async () => {
    const generated = Buffer.alloc(32, 0xfb).toString('base64');
    expect(generated).toMatch(/[+/=]/);
    const app = appOf(requireApiKey({ source: keyList({ render: generated }) }));
    expect((await call(app, generated)).body).toBe('render');
  });
});
