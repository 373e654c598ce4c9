import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { eq } from 'drizzle-orm';
import express from 'express';
import { apiKeyOf, requireApiKey } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../examples/recipes/drizzle.js';
import { notes } from '../fixtures/drizzle-tables.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const other = await createDatabase();
const run = promisify(execFile);

/** The tables of keys, as they are when nobody has touched them. */
const tablesOf = async (db: typeof database, schema: string) => {
  const { rows } = await db
    .pool()
    .query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1', [
      schema,
    ]);
  return rows.map(({ name }) => name).toSorted();
};

describe('keys beside Drizzle', () => {
  let folder: string;
  beforeAll(() => {
    // Inside the project, so that its config finds drizzle-kit.
    mkdirSync('coverage', { recursive: true });
    folder = resolve(mkdtempSync('coverage/drizzle-'));
    const [, config] = /```ts\n(import \{ defineConfig \}[^]*?)```/.exec(
      readFileSync('docs/recipes.md', 'utf8'),
    )!;
    writeFileSync(join(folder, 'drizzle.config.ts'), config!);
    mkdirSync(join(folder, 'src'));
    copyFileSync('test/fixtures/drizzle-tables.ts', join(folder, 'src/tables.ts'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs drizzle-kit in the folder of the app, with the config of the documents. */
  const drizzleKit = async (on: typeof database, ...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: on.url };
    const { stdout, stderr } = await run(resolve('node_modules/.bin/drizzle-kit'), args, {
      cwd: folder,
      env,
    });
    return stdout + stderr;
  };

  it('drizzle-kit push and generate -> make the tables of the app, and touch and name none of the keys', async () => {
    const pool = database.pool();
    const { db, keys, store } = openDatabase(pool);
    await store.migrate();
    const before = await tablesOf(database, 'api_access');
    expect(before).toContain('api_keys');
    const { key } = await keys.create({ user: 'alice' });

    const first = await drizzleKit(database, 'push', '--verbose', '--force');
    expect(first).toContain('CREATE TABLE "notes"');
    expect(first).not.toMatch(/drop|api_/i);
    expect(await drizzleKit(database, 'push', '--verbose', '--force')).toContain(
      'No changes detected',
    );
    await drizzleKit(database, 'generate');
    const written = readdirSync(join(folder, 'drizzle'))
      .filter((name) => name.endsWith('.sql'))
      .map((name) => join(folder, 'drizzle', name));
    expect(written).toHaveLength(1);
    for (const file of written) expect(readFileSync(file, 'utf8')).not.toMatch(/api_/);
    expect(await tablesOf(database, 'api_access')).toEqual(before);
    expect(await tablesOf(database, 'public')).toEqual(['notes']);

    const app = express();
    const addNote = async (author: string) => {
      await db.insert(notes).values({ author, text: 'milk' });
      return db.select().from(notes).where(eq(notes.author, author));
    };
    app.post('/notes', requireApiKey({ source: keys }), (req, res, next) => {
      addNote(apiKeyOf(req).user).then((found) => res.json(found), next);
    });
    await supertest(app)
      .post('/notes')
      .set('X-API-Key', key)
      .expect(200, [{ id: 1, author: 'alice', text: 'milk' }]);
    await supertest(app).post('/notes').expect(401);
    await keys.close();
  }, 180_000);

  it('the same with the keys in public -> push --force drops them, which the schema of their own is for', async () => {
    const pool = other.pool();
    await pool.query(
      'create table notes (id serial primary key, author text not null, text text not null)',
    );
    await new PostgresKeyStore({ client: pool }).migrate();
    const output = await drizzleKit(other, 'push', '--verbose', '--force');
    expect(output).toContain('DROP TABLE "api_keys" CASCADE;');
    expect(await tablesOf(other, 'public')).toEqual(['notes']);
  }, 90_000);
});
