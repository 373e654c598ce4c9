import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { createDatabase } from '../support/postgres.js';
import {
  placeholderTypes,
  readSnippets,
  runner,
  untypedMessages,
  type Snippet,
} from '../support/snippets.js';

const run = promisify(execFile);
const database = await createDatabase();
const snippets = readSnippets();
const nameOf = ({ place }: Snippet) => place.replaceAll(/\W/g, '-');

// Inside the package, so that its own name leads to it.
let folder: string;
let errors: string[];

beforeAll(async () => {
  mkdirSync('coverage', { recursive: true });
  folder = resolve(mkdtempSync('coverage/snippets-'));
  for (const language of ['js', 'ts'] as const) {
    const project = join(folder, language);
    mkdirSync(join(project, 'docs'), { recursive: true });
    mkdirSync(join(project, 'src'));
    writeFileSync(join(project, 'globals.d.ts'), placeholderTypes);
    if (language === 'js') writeFileSync(join(project, 'messages.d.ts'), untypedMessages);
    // What the document on stores calls the reader's own module.
    writeFileSync(
      join(project, 'src/index.ts'),
      `export { MemoryKeyStore as MyKeyStore } from 'require-api-key';
       export const partnerKeys = { verify: () => undefined };`,
    );
    for (const snippet of snippets.filter((each) => each.language === language)) {
      writeFileSync(
        join(project, 'docs', `${nameOf(snippet)}.ts`),
        `${snippet.code}\nexport {};\n`,
      );
    }
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023'],
      module: 'nodenext',
      types: ['node'],
      // JavaScript is compiled for its imports, names and options; without types nobody is told
      // that a value may be absent.
      strict: language === 'ts',
      skipLibCheck: true,
      rootDir: '.',
      outDir: 'out',
    };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['.'] }),
    );
  }
  errors = (await Promise.all([compile('js'), compile('ts')])).flat();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function compile(language: string): Promise<string[]> {
  const tsc = run(resolve('node_modules/.bin/tsc'), ['-p', join(folder, language)]);
  return tsc.then(
    () => [],
    ({ stdout }: { stdout: string }) => locate(stdout),
  );
}

/** What the compiler says of each snippet, by the line in its document. */
function locate(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.includes('error'))
    .map((line) => {
      const [, file, at, message] = /docs\/([\w-]+)\.ts\((\d+),\d+\): (.*)/.exec(line) ?? [];
      const snippet = snippets.find((each) => nameOf(each) === file);
      if (!snippet) return line;
      const [document, start] = snippet.place.split(':');
      return `${document}:${Number(start) + Number(at)} ${message}`;
    });
}

/** Makes a key, calls the app without and with it, ends the app, and looks for the last use. */
async function admitOnce(
  keys: ApiKeyManager,
  { url, app }: Awaited<ReturnType<typeof serve>>,
): Promise<void> {
  const { key, record } = await keys.create({ user: 'alice', scopes: ['hello:read'] });
  expect((await fetch(url)).status).toBe(401);
  const greeted = await fetch(url, { headers: { 'X-API-Key': key, Connection: 'close' } });
  expect(await greeted.json()).toEqual({ hello: 'alice' });
  app.kill('SIGTERM');
  await once(app, 'exit');
  expect((await keys.get(record.keyId))?.lastUsedAt).toBeInstanceOf(Date);
  await keys.close();
}

describe('the snippets of the README and the documents', () => {
  it('compiled, TypeScript strictly and JavaScript without null checks -> no error', () => {
    expect(snippets.length).toBeGreaterThan(25);
    expect(errors).toEqual([]);
  });

  it('run, each with the names it takes for granted -> none throws', async () => {
    writeFileSync(join(folder, 'run.mjs'), runner);
    // Of the rest, one registers tests with a test runner.
    const runnable = snippets.filter(({ code }) => !code.includes("from 'vitest'"));
    expect(snippets.length - runnable.length).toBe(1);
    const files = runnable.map((each) =>
      join(folder, each.language, 'out/docs', `${nameOf(each)}.js`),
    );
    // In a folder of its own, so that files which the snippets open stay there.
    const cwd = mkdtempSync(join(folder, 'run-'));
    const { stdout } = await run(
      process.execPath,
      [join(folder, 'run.mjs'), JSON.stringify(files)],
      { cwd },
    );
    const failures = Object.entries(JSON.parse(stdout) as Record<string, string>);
    expect(failures.map(([file, error]) => `${basename(file)}: ${error}`)).toEqual([]);
  });

  it('stage 4 of the README, saved as app.mjs -> at most 20 lines; makes its file, admits a key made there, and writes its use down when it ends', async () => {
    const { code } = snippets.find(
      (each) => each.place.startsWith('README.md:') && each.code.includes('SqliteKeyStore'),
    )!;
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    const served = await serve(code, {});
    const store = await SqliteKeyStore.open(join(folder, 'keys.db'));
    await admitOnce(new ApiKeyManager({ store }), served);
    await store.close();
  });

  it('the app with PostgreSQL in docs/managed-keys.md, saved as app.mjs -> admits the key that was made for it, and writes its use down when it ends', async () => {
    const { code } = snippets.find(
      (each) => each.place.startsWith('docs/managed-keys.md:') && each.code.includes('pg.Pool'),
    )!;
    const store = new PostgresKeyStore({ client: database.pool() });
    await store.migrate();
    const served = await serve(code, { DATABASE_URL: database.url });
    await admitOnce(new ApiKeyManager({ store }), served);
  });

  it('the first snippet of the README, saved as app.mjs -> refuses without the key and greets with it', async () => {
    const { code } = snippets.find(({ place }) => place.startsWith('README.md:'))!;
    const key = generateApiKey().key;
    const { url } = await serve(code, { INTERNAL_API_KEY: key });
    expect((await fetch(url)).status).toBe(401);
    const greeted = await fetch(url, { headers: { 'X-API-Key': key } });
    expect(await greeted.json()).toEqual({ hello: 'default' });
  });
});

/**
 * Runs a program that listens on port 3000 on another port, and resolves to it and the address of
 * its `/hello`.
 */
async function serve(
  code: string,
  env: Record<string, string>,
): Promise<{ url: string; app: ChildProcess }> {
  const file = join(folder, 'app.mjs');
  writeFileSync(
    file,
    code.replace('listen(3000)', 'listen(0, function () { console.log(this.address().port) })'),
  );
  const { KEY: _unset, ...inherited } = process.env;
  const app = spawn(process.execPath, [file], { cwd: folder, env: { ...inherited, ...env } });
  onTestFinished(() => void app.kill());
  const [port] = (await once(app.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${String(port).trim()}/hello`, app };
}

describe('docs/upgrading.md', () => {
  it.each([
    ['the check written by hand', 200, 0],
    ['the guard in its place', 503, 1],
  ])('%s, its variable unset -> answered %i', async (_title, status, index) => {
    const { code } = snippets.filter(({ place }) => place.startsWith('docs/upgrading.md:'))[index]!;
    const program = `import express from 'express';
      import { envKey, requireApiKey } from 'require-api-key';
      const app = express();
      ${code}
      app.get('/hello', (req, res) => res.send('open'));
      app.listen(3000);`;
    const { url } = await serve(program, {});
    expect((await fetch(url)).status).toBe(status);
  });

  it("better-auth's stored form, turned around as the document does -> the digest of the same key", () => {
    const [, expression] = /digest: (`sha256:.*`),/.exec(
      readFileSync('docs/upgrading.md', 'utf8'),
    )!;
    expect(expression).toBe("`sha256:${Buffer.from(row.key, 'base64url').toString('hex')}`");
    const key = 'aKeyOfLettersAloneAsThatPluginMakesThem';
    const row = { key: createHash('sha256').update(key).digest('base64url') };
    expect(`sha256:${Buffer.from(row.key, 'base64url').toString('hex')}`).toBe(digestApiKey(key));
  });
});
