import 'reflect-metadata';
import type { Server } from 'node:http';
import {
  Controller,
  Get,
  Logger,
  Module,
  Post,
  UseFilters,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import {
  generateApiKey,
  type ApiKey,
  type KeySource,
  type KeySourceAnswer,
  type VerifyKey,
} from 'require-api-key';
import supertest from 'supertest';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ApiKeyGuard,
  Caller,
  KEY_SOURCE,
  RefusalFilter,
  Scopes,
} from '../../examples/recipes/nest-guard.js';
import { expectRefused } from '../support/expect-refused.js';

const reader = generateApiKey().key;
const writer = generateApiKey().key;
const uploader = generateApiKey().key;
const identities = new Map([
  [reader, { user: 'alice', scopes: ['audio:read'] }],
  [writer, { user: 'bob', scopes: ['audio:read', 'audio:write'] }],
  [uploader, { user: 'carol', scopes: ['audio:write'] }],
]);
// Answers late, as a database would.
const keys: KeySource = { verify: async (key) => identities.get(key) };

// Counts the runs of every handler below.
const handled = vi.fn<(user: string) => void>();
beforeEach(() => void handled.mockReset());

function greet({ user }: ApiKey) {
  handled(user);
  return { user };
}

@Controller()
class HelloController {
  @Get('hello')
  hello(@Caller() caller: ApiKey) {
    return greet(caller);
  }

  @Get('broken')
  @Scopes('not a scope')
  broken(@Caller() caller: ApiKey) {
    return greet(caller);
  }
}

@Controller('audio')
@Scopes('audio:read')
class AudioController {
  @Get()
  list(@Caller() caller: ApiKey) {
    return greet(caller);
  }

  @Post()
  @Scopes('audio:write')
  upload(@Caller() caller: ApiKey) {
    return greet(caller);
  }
}

@Controller('guarded')
@UseGuards(ApiKeyGuard)
@UseFilters(RefusalFilter)
class GuardedController {
  @Get()
  hello(@Caller() caller: ApiKey) {
    return greet(caller);
  }
}

@Controller('open')
class OpenController {
  @Get()
  hello() {
    return 'open';
  }

  @Get('caller')
  caller(@Caller() caller: ApiKey) {
    return greet(caller);
  }
}

async function start(module: NonNullable<Parameters<typeof Module>[0]>, source: KeySource) {
  @Module({
    ...module,
    providers: [{ provide: KEY_SOURCE, useValue: source }, ...(module.providers ?? [])],
  })
  // oxlint-disable-next-line typescript/no-extraneous-class -- Nest reads the decorators.
  class AppModule {}

  const app: INestApplication<Server> = await NestFactory.create(AppModule, { logger: false });
  onTestFinished(() => app.close());
  await app.init();
  return async (path: string, key?: string, method: 'get' | 'post' = 'get') => {
    const request = supertest(app.getHttpServer())[method](path);
    const { status, headers, text } = await request.set(
      key === undefined ? {} : { 'X-API-Key': key },
    );
    const lines = headers as Record<string, string>;
    return { status, headers: lines, text, bytes: '', handlerRuns: handled.mock.calls.length };
  };
}

const startGuarded = (source: KeySource = keys) =>
  start(
    {
      controllers: [HelloController, AudioController],
      providers: [
        { provide: APP_GUARD, useClass: ApiKeyGuard },
        { provide: APP_FILTER, useClass: RefusalFilter },
      ],
    },
    source,
  );

describe('a NestJS app with the guard on every route', () => {
  it('a good key -> the controller knows whose it is', async () => {
    const call = await startGuarded();
    const reply = await call('/hello', reader);
    expect([reply.status, JSON.parse(reply.text)]).toEqual([200, { user: 'alice' }]);
    expect(handled.mock.calls).toEqual([['alice']]);
  });

  it.each([
    ['no key', undefined, 'missing_api_key', undefined],
    [
      'an unknown key',
      generateApiKey().key,
      'invalid_api_key',
      /^ApiKey realm="api", header="X-API-Key"/,
    ],
  ])('%s -> 401 with challenge and problem details', async (_title, key, code, challenge) => {
    const call = await startGuarded();
    expectRefused(await call('/hello', key), {
      status: 401,
      code,
      ...(challenge && { challenge }),
    });
  });

  it('a key without the scope of the route -> 403; one with it -> admitted', async () => {
    const call = await startGuarded();
    expectRefused(await call('/audio', reader, 'post'), {
      status: 403,
      code: 'insufficient_scope',
    });
    expect((await call('/audio', writer, 'post')).status).toBe(201);
    expect(handled.mock.calls).toEqual([['bob']]);
  });

  it('a key with the scope of a route and not that of its controller -> 403', async () => {
    const call = await startGuarded();
    expectRefused(await call('/audio', uploader, 'post'), {
      status: 403,
      code: 'insufficient_scope',
    });
  });

  it('a key with the scope of the controller -> admitted to its routes without one', async () => {
    const call = await startGuarded();
    expect((await call('/audio', reader)).status).toBe(200);
  });
});

describe('a NestJS guard that fails', () => {
  it.each<[string, VerifyKey]>([
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('away'))],
    ['answers nonsense', () => 42 as unknown as KeySourceAnswer],
  ])('a source that %s -> 503, and no handler runs', async (_title, verify) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const call = await startGuarded({ verify });
    expectRefused(await call('/hello', reader), { status: 503, code: 'key_source_failed' });
  });

  it('a scope that can be none -> 500, and no handler runs', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const call = await startGuarded();
    expect(await call('/broken', writer)).toMatchObject({ status: 500, handlerRuns: 0 });
  });

  it('a context that is not HTTP -> not let through', async () => {
    const guard = new ApiKeyGuard(keys, {} as never);
    expect(await guard.canActivate({ getType: () => 'ws' } as never)).toBe(false);
  });
});

describe('a NestJS app with the guard on one controller', () => {
  it('requests to it and to another -> a key is needed for it alone', async () => {
    const call = await start({ controllers: [GuardedController, OpenController] }, keys);
    expectRefused(await call('/guarded'), { status: 401, code: 'missing_api_key' });
    expect((await call('/guarded', reader)).status).toBe(200);
    expect((await call('/open')).text).toBe('open');
  });

  it('the caller asked for on a route without a guard -> 500, and no handler runs', async () => {
    const call = await start({ controllers: [GuardedController, OpenController] }, keys);
    expect(await call('/open/caller', reader)).toMatchObject({ status: 500, handlerRuns: 0 });
  });
});
