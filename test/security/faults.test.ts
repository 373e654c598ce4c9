import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, requireApiKey, type KeyStore } from '../../src/index.js';
import { PostgresKeyStore, type PostgresClient } from '../../src/postgres.js';
import { SqliteKeyStore, type SqliteDatabase } from '../../src/sqlite.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { createDatabase } from '../support/postgres.js';
import { createPath, openDatabase } from '../support/sqlite.js';

/** Makes one statement fail: the nth, before it runs or when its answer is already on the way. */
class Faults {
  #left = 0;
  #isLate = false;
  #error: () => Error = () => new Error('none');
  #only = /./;

  arm(statement: number, isLate: boolean, error: () => Error, only = /./): void {
    this.#left = statement;
    this.#isLate = isLate;
    this.#error = error;
    this.#only = only;
  }

  /** Whether the statement was reached. */
  disarm(): boolean {
    const wasReached = this.#left === 0;
    this.#left = 0;
    return wasReached;
  }

  run<Result>(sql: string, work: () => Result): Result {
    if (!this.#isHit(sql)) return work();
    if (this.#isLate) work();
    throw this.#error();
  }

  async runLater<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
    if (!this.#isHit(sql)) return work();
    if (this.#isLate) await work();
    throw this.#error();
  }

  #isHit(sql: string): boolean {
    return this.#left > 0 && this.#only.test(sql) && --this.#left === 0;
  }
}

const failWith = (message: string, properties: object) => () =>
  Object.assign(new Error(message), properties);

/** A store whose statements fail as the faults say, and one beside it on the same tables. */
interface Opened {
  readonly faulty: KeyStore;
  readonly sound: KeyStore;
  readonly faults: Faults;
}

const database = await createDatabase();
const pool = database.pool();

async function openPostgres(): Promise<Opened> {
  const faults = new Faults();
  const client: PostgresClient = {
    query: (text, values) => faults.runLater(text, () => pool.query(text, values)),
  };
  const sound = new PostgresKeyStore({ client: pool, watch: false });
  await sound.migrate();
  return { faulty: new PostgresKeyStore({ client, watch: false }), sound, faults };
}

async function openSqlite(): Promise<Opened> {
  const faults = new Faults();
  const path = createPath();
  const sound = await SqliteKeyStore.open(path);
  onTestFinished(() => sound.close());
  await sound.migrate();
  const real = openDatabase(path) as SqliteDatabase & { close(): void };
  onTestFinished(() => real.close());
  const faulty = new SqliteKeyStore({
    database: {
      exec: (sql) => faults.run(sql, () => real.exec(sql)),
      prepare: (sql) => {
        const statement = real.prepare(sql);
        return {
          get: (...values) => faults.run(sql, () => statement.get(...values)),
          all: (...values) => faults.run(sql, () => statement.all(...values)),
          run: (...values) => faults.run(sql, () => statement.run(...values)),
        };
      },
    },
  });
  return { faulty, sound, faults };
}

const databases = [
  {
    name: 'PostgreSQL',
    open: openPostgres,
    // The answer may be lost on its way, after the statement has run.
    lateness: [false, true],
    errors: [
      failWith('read ECONNRESET', { code: 'ECONNRESET' }),
      failWith('could not extend file: No space left on device', {
        code: '53100',
        severity: 'ERROR',
      }),
      failWith('canceling statement due to statement timeout', {
        code: '57014',
        severity: 'ERROR',
      }),
    ],
  },
  {
    name: 'SQLite',
    open: openSqlite,
    lateness: [false],
    errors: [
      failWith('database or disk is full', { code: 'SQLITE_FULL', rawCode: 13 }),
      failWith('disk I/O error', { code: 'SQLITE_IOERR', rawCode: 10 }),
    ],
  },
];

/**
 * Each makes what it needs by the sound manager, and gives the change to be made by the faulty one.
 */
const changes: Readonly<
  Record<
    string,
    (sound: ApiKeyManager, user: string) => Promise<(faulty: ApiKeyManager) => Promise<unknown>>
  >
> = {
  create: async (_sound, user) => (faulty) => faulty.create({ user, by: 'boss' }),
  'create with a limit': async (sound, user) => {
    await sound.create({ user });
    return (faulty) => faulty.create({ user });
  },
  rotate: async (sound, user) => {
    const { record } = await sound.create({ user });
    return (faulty) => faulty.rotate(record.keyId, { overlapMs: 60_000 });
  },
  'rotate the successor of one that waits for its first use': async (sound, user) => {
    const { record } = await sound.create({ user });
    const next = await sound.rotate(record.keyId, { overlapMs: 60_000, startsAt: 'first-use' });
    return (faulty) => faulty.rotate(next.record.keyId, { overlapMs: 60_000 });
  },
  'revoke a family': async (sound, user) => {
    const { record } = await sound.create({ user });
    await sound.rotate(record.keyId);
    return (faulty) => faulty.revoke(record.keyId, { family: true });
  },
  'revoke all of a user': async (sound, user) => {
    await sound.create({ user });
    await sound.create({ user });
    await sound.createClaim({ user });
    return (faulty) => faulty.revokeAll({ user });
  },
  claim: async (sound, user) => {
    const { token } = await sound.createClaim({ user });
    return (faulty) => faulty.claim(token);
  },
};

/** All that there is of a user, without what differs from one to the next. */
async function shapeOf(sound: ApiKeyManager, user: string): Promise<string> {
  const fieldsOf = (what: string, record: object, ...fields: string[]) =>
    `${what} with ${fields.filter((field) => field in record).join(', ')}`;
  const keys = (await sound.list({ user })).map((key) =>
    fieldsOf('key', key, 'revokedAt', 'expiresAt', 'replaces', 'replacedBy'),
  );
  const links = (await sound.listClaims())
    .filter((link) => link.user === user)
    .map((link) => fieldsOf('link', link, 'claimedAt', 'revokedAt', 'keyId'));
  const events = (await sound.history({ user })).map(({ what }) => `event ${what}`);
  return [...keys, ...links, ...events].toSorted().join('; ');
}

/** More than any change takes. */
const mostStatements = 60;

describe.each(databases)('$name fails', ({ open, lateness, errors }) => {
  it.each(Object.keys(changes))(
    '%s, at each of its statements -> an error without a secret, and all done or nothing',
    async (name) => {
      const { faulty, sound: store, faults } = await open();
      const sound = new ApiKeyManager({ store });
      const failing = new ApiKeyManager({ store: faulty, maxKeysPerUser: 5 });
      onTestFinished(() => Promise.all([sound.close(), failing.close()]).then(() => {}));
      let users = 0;
      const nextUser = () => `${name} ${users++}`;
      const whole = nextUser();
      await (
        await changes[name]!(sound, whole)
      )(failing);
      const done = await shapeOf(sound, whole);

      const seen = new Set<string>();
      for (const isLate of lateness) {
        for (const error of errors) {
          let statement = 0;
          for (let wasReached = true; wasReached && statement < mostStatements;) {
            const user = nextUser();
            const change = await changes[name]!(sound, user);
            const before = await shapeOf(sound, user);
            faults.arm(++statement, isLate, error);
            const outcome = await change(failing).then(
              () => 'done',
              (thrown: unknown) => thrown,
            );
            wasReached = faults.disarm();
            const after = await shapeOf(sound, user);
            if (outcome === 'done') {
              expect(after).toBe(done);
            } else {
              expect(outcome).toBeInstanceOf(Error);
              expect(String((outcome as Error).stack)).not.toMatch(/sha256|[0-9a-f]{64}/);
              expect([before, done]).toContain(after);
            }
            seen.add(after === done ? 'done' : 'nothing');
          }
          expect(statement).toBeGreaterThan(1);
          expect(statement).toBeLessThan(mostStatements);
        }
      }
      expect(seen).toEqual(new Set(['done', 'nothing']));
    },
    60_000,
  );

  it('verify, at its look-up -> 503, and neither let in nor called unknown; then as before', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => logged.mockRestore());
    const { faulty, sound: store, faults } = await open();
    const sound = new ApiKeyManager({ store });
    onTestFinished(() => sound.close());
    const { key, record } = await sound.create({ user: 'alice' });
    const revoked = await sound.create({ user: 'alice' });
    await sound.revoke(revoked.record.keyId);
    for (const isLate of lateness) {
      for (const error of errors) {
        for (const [presented, status] of [
          [key, 200],
          [revoked.key, 401],
          [await neverStored(), 401],
        ] as const) {
          const keys = new ApiKeyManager({ store: faulty, countUses: false });
          const guard = requireApiKey({ source: keys, onRefused: refuse });
          const app = await guardedApp(expressVersions[0]!.express, { guard });
          const ask = () => app.get({ 'X-API-Key': presented });
          faults.arm(1, isLate, error, /k\.digest = /);
          expect(await ask()).toMatchObject({ status: 503, handlerRuns: 0 });
          expect(faults.disarm()).toBe(true);
          // After a failure that took long, the store has a pause before it is asked again.
          await expect.poll(async () => (await ask()).status, { timeout: 5_000 }).toBe(status);
          await keys.close();
        }
      }
    }
    expect(await sound.get(record.keyId)).not.toHaveProperty('revokedAt');
  });
});

describe('SQLite on a disk that is full', () => {
  it('changes -> SQLITE_FULL and nothing half done; keys go on working; with room again, so do changes', async () => {
    const path = createPath();
    const real = openDatabase(path) as SqliteDatabase & { close(): void };
    onTestFinished(() => real.close());
    const store = new SqliteKeyStore({ database: real });
    await store.migrate();
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { key, record } = await keys.create({ user: 'alice' });
    const { token } = await keys.createClaim({ user: 'alice' });
    real.exec('pragma max_page_count = 1');
    const full = { cause: { code: 'SQLITE_FULL' } };
    const metadata = { filling: 'x'.repeat(9_000) };
    for (let made = 0; ; made++) {
      const before = await shapeOf(keys, 'filler');
      const outcome = await keys.create({ user: 'filler', metadata }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (outcome === undefined && made < 1_000) continue;
      expect(outcome).toMatchObject(full);
      expect(await shapeOf(keys, 'filler')).toBe(before);
      break;
    }
    const cold = new ApiKeyManager({ store });
    expect(await cold.verify(key)).toMatchObject({ ok: true });
    const before = await shapeOf(keys, 'alice');
    // Small changes may still find room on a page, so each is done or refused, and either way
    // whole.
    for (const change of [
      () => keys.update(record.keyId, { metadata }),
      () => keys.create({ user: 'alice', metadata }),
    ]) {
      await expect(change()).rejects.toMatchObject(full);
      expect(await shapeOf(keys, 'alice')).toBe(before);
    }
    real.exec('pragma max_page_count = 1073741823');
    expect((await keys.claim(token)).record.user).toBe('alice');
    expect((await keys.rotate(record.keyId)).previous.replacedBy).toBeDefined();
  });
});

describe('PostgreSQL, by real means', () => {
  it.each(['its connection is ended', 'its statement times out'])(
    'a rotation that waits for a lock, and %s -> an error, and nothing done',
    async (what) => {
      await new PostgresKeyStore({ client: pool }).migrate();
      const sound = new ApiKeyManager({
        store: new PostgresKeyStore({ client: pool, watch: false }),
      });
      const doomed = database.pool({
        application_name: 'doomed',
        ...(what.includes('times') && { options: '-c statement_timeout=300' }),
      });
      const store = new PostgresKeyStore({ client: doomed, watch: false });
      const keys = new ApiKeyManager({ store });
      onTestFinished(() => Promise.all([sound.close(), keys.close()]).then(() => {}));
      const user = `waiting until ${what}`;
      const { key, record } = await sound.create({ user });
      const before = await shapeOf(sound, user);
      const holder = await database.client();
      onTestFinished(async () => void (await holder.query('rollback')));
      await holder.query('begin');
      await holder.query('lock table api_keys in access exclusive mode');
      const outcomes = Promise.all(
        [keys.rotate(record.keyId), keys.create({ user }), keys.verify(key)].map((each) =>
          each.then(
            () => 'done',
            (error: unknown) => error,
          ),
        ),
      );
      if (what.includes('ended')) {
        const waiting = `select pid from pg_stat_activity
          where application_name = 'doomed' and wait_event_type = 'Lock'`;
        await expect
          .poll(async () => (await pool.query(waiting)).rowCount, { timeout: 10_000 })
          .toBe(3);
        await pool.query(`select pg_terminate_backend(pid) from (${waiting}) waiting`);
      }
      for (const outcome of await outcomes) expect(outcome).toBeInstanceOf(Error);
      await holder.query('rollback');
      expect(await shapeOf(sound, user)).toBe(before);
      // A store that took long to fail is left alone for a second at most.
      await expect
        .poll(() => keys.verify(key).catch(() => undefined), { timeout: 10_000 })
        .toMatchObject({ ok: true });
      expect((await keys.rotate(record.keyId)).previous.keyId).toBe(record.keyId);
    },
    30_000,
  );
});

/** A well-formed key that no store has. */
const neverStored = async () =>
  (await new ApiKeyManager({ store: new MemoryKeyStore() }).create({ user: 'nobody' })).key;

const refuse = (
  error: { readonly status: number },
  _req: unknown,
  res: { status(code: number): { end(): void } },
) => res.status(error.status).end();
