import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { digestApiKey, generateApiKey, parseApiKey } from '../../src/index.js';
import { cli, cliFile, folder, startProcess, type Finished } from '../support/cli.js';

const alices = generateApiKey().key;
const carols = generateApiKey().key;
const single = ['--env', 'INTERNAL_API_KEY'];
const list = ['--env', 'API_KEYS', '--user', 'bob'];

const add = (cwd: string, args: readonly string[], file = '.env') =>
  cli(['generate', ...args, '--out', file], { cwd });
const textOf = (cwd: string, file = '.env') => readFileSync(join(cwd, file), 'utf8');

/** The text with each new key masked, and the last of them. */
function maskNew(text: string): { masked: string; key: string } {
  let key = '';
  const masked = text.replaceAll(/key_\w{48}/g, (found) => {
    if (found === alices) return '<alices>';
    if (found === carols) return '<carols>';
    key = found;
    return '<new>';
  });
  return { masked, key };
}

const insert = (text: string) => text.replaceAll('<alices>', alices).replaceAll('<carols>', carols);

/** Puts the link in the place of the file as soon as the command has looked at the file. */
const swapSoon = `
  const { readdirSync, renameSync } = require('node:fs');
  while (!readdirSync('.').some((name) => name.startsWith('.env.')));
  renameSync('link', '.env')`;

function expectNoKeyIn({ stdout, stderr }: Finished, text: string): void {
  for (const [key] of text.matchAll(/key_\w{48}/g)) expect(stdout + stderr).not.toContain(key);
}

describe('generate --env --out into a file that is there', () => {
  it.each<[string, string[], string, string]>([
    ['other variables', single, 'PORT=3000\n', 'PORT=3000\nINTERNAL_API_KEY=<new>\n'],
    ['no line break at the end', single, 'PORT=3000', 'PORT=3000\nINTERNAL_API_KEY=<new>\n'],
    [
      'line breaks of Windows',
      single,
      'A=1\r\nB=2\r\n',
      'A=1\r\nB=2\r\nINTERNAL_API_KEY=<new>\r\n',
    ],
    ['those, and none at the end', list, 'A=1\r\nB=2', 'A=1\r\nB=2\r\nAPI_KEYS=bob:<new>\r\n'],
    ['nothing', single, '', 'INTERNAL_API_KEY=<new>\n'],
    ['a byte order mark', single, '\uFEFFA=1\n', '\uFEFFA=1\nINTERNAL_API_KEY=<new>\n'],
    [
      'comments, blanks and odd lines',
      single,
      '# a\n\n  B = 2 \nC=???\n',
      '# a\n\n  B = 2 \nC=???\nINTERNAL_API_KEY=<new>\n',
    ],
    [
      'the variable in a comment',
      single,
      '#INTERNAL_API_KEY=x\n',
      '#INTERNAL_API_KEY=x\nINTERNAL_API_KEY=<new>\n',
    ],
    [
      'the variable without a value',
      single,
      'INTERNAL_API_KEY=\nB=2\n',
      'INTERNAL_API_KEY=<new>\nB=2\n',
    ],
    [
      'the variable, empty in quotes',
      single,
      'INTERNAL_API_KEY="" # here\n',
      'INTERNAL_API_KEY="<new>" # here\n',
    ],
    [
      'a longer name',
      single,
      'MY_INTERNAL_API_KEY=x\n',
      'MY_INTERNAL_API_KEY=x\nINTERNAL_API_KEY=<new>\n',
    ],
    ['a list', list, 'API_KEYS=alice:<alices>\nB=2\n', 'API_KEYS=alice:<alices>,bob:<new>\nB=2\n'],
    ['a list at the end', list, 'API_KEYS=alice:<alices>', 'API_KEYS=alice:<alices>,bob:<new>'],
    [
      'a list, line breaks of Windows',
      list,
      'API_KEYS=alice:<alices>\r\nB=2\r\n',
      'API_KEYS=alice:<alices>,bob:<new>\r\nB=2\r\n',
    ],
    [
      'a list in double quotes',
      list,
      'API_KEYS="alice:<alices>"\n',
      'API_KEYS="alice:<alices>,bob:<new>"\n',
    ],
    [
      'a list in single quotes',
      list,
      "API_KEYS='alice:<alices>'\n",
      "API_KEYS='alice:<alices>,bob:<new>'\n",
    ],
    [
      'an exported list with a comment',
      list,
      'export API_KEYS=alice:<alices>  # "all"\n',
      'export API_KEYS=alice:<alices>,bob:<new>  # "all"\n',
    ],
    [
      'a quoted list with a comment',
      list,
      'API_KEYS="alice:<alices>" # "all"\n',
      'API_KEYS="alice:<alices>,bob:<new>" # "all"\n',
    ],
    [
      'a list that ends with a comma',
      list,
      'API_KEYS=alice:<alices>, \n',
      'API_KEYS=alice:<alices>,bob:<new> \n',
    ],
    [
      'a list over several lines',
      list,
      'API_KEYS="\n  alice:<alices>,\n  carol:<carols>\n"\nB=2\n',
      'API_KEYS="\n  alice:<alices>,\n  carol:<carols>,bob:<new>\n"\nB=2\n',
    ],
    [
      'a list of digests',
      list,
      `API_KEYS=alice:${digestApiKey('x')}\n`,
      `API_KEYS=alice:${digestApiKey('x')},bob:<new>\n`,
    ],
  ])('%s -> the key is added, and all else is as it was', async (_what, args, before, after) => {
    const cwd = folder({ '.env': insert(before) });
    const result = await add(cwd, args);
    const { masked, key } = maskNew(textOf(cwd));
    expect(masked).toBe(after);
    expect(parseApiKey(key)).toBeDefined();
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toMatch(/^The key is in \.env, which only you can read\.\n/);
    expect(result.stderr).toContain(`${args.length > 2 ? 'bob:' : ''}${digestApiKey(key)}\n`);
    expectNoKeyIn(result, textOf(cwd));
    expect(readdirSync(cwd)).toEqual(['.env']);
  });

  it('a file that others can read -> mode 0600; one that is not there -> made with it', async () => {
    const cwd = folder({ '.env': 'PORT=3000\n' });
    chmodSync(join(cwd, '.env'), 0o644);
    await Promise.all([add(cwd, single), add(cwd, single, 'new.env')]);
    if (process.platform !== 'win32') {
      for (const file of ['.env', 'new.env'])
        expect(statSync(join(cwd, file)).mode & 0o777).toBe(0o600);
    }
    expect(maskNew(textOf(cwd, 'new.env')).masked).toBe('INTERNAL_API_KEY=<new>\n');
  });

  it('user after user -> one line, on which each has a key', async () => {
    const cwd = folder();
    for (const user of ['alice', 'bob', 'carol']) {
      const { code } = await add(cwd, ['--env', 'API_KEYS', '--user', user]);
      expect(code).toBe(0);
    }
    expect(maskNew(textOf(cwd)).masked).toBe('API_KEYS=alice:<new>,bob:<new>,carol:<new>\n');
  });

  it('--json -> the file by name, and the key in the file alone', async () => {
    const cwd = folder({ '.env': `API_KEYS=alice:${alices}\n` });
    const result = await add(cwd, [...list, '--json']);
    const { key } = maskNew(textOf(cwd));
    expect(JSON.parse(result.stdout)).toEqual({
      file: '.env',
      keyId: parseApiKey(key)!.keyId,
      digest: digestApiKey(key),
      digestLine: `API_KEYS=bob:${digestApiKey(key)}`,
    });
    expectNoKeyIn(result, textOf(cwd));
  });

  it.skipIf(process.getuid?.() !== 0)(
    "run by an administrator -> the file stays its owner's",
    async () => {
      const cwd = folder({ '.env': 'PORT=3000\n' });
      chownSync(join(cwd, '.env'), 1234, 1234);
      expect(await add(cwd, single)).toMatchObject({ code: 0 });
      expect(statSync(join(cwd, '.env'))).toMatchObject({ uid: 1234, gid: 1234 });
      expect(parse(textOf(cwd))['PORT']).toBe('3000');
    },
  );
});

describe('generate --env --out where a key would be replaced or the file be spoilt', () => {
  it('a link put in its place by the owner of the folder -> nothing behind the link is read', async () => {
    const secrets = join(folder({ secrets: 'PASSWORD=of-somebody-else\n' }), 'secrets');
    for (let attempt = 0; attempt < 3; attempt++) {
      const cwd = folder({ '.env': 'PORT=3000\n' });
      symlinkSync(secrets, join(cwd, 'link'));
      startProcess(process.execPath, ['-e', swapSoon], { cwd });
      await add(cwd, single);
      const isLink = lstatSync(join(cwd, '.env')).isSymbolicLink();
      expect(isLink ? '' : textOf(cwd)).not.toContain('PASSWORD');
    }
  });

  const byHand = 'make one with npx require-api-key generate --out <file>, ';

  it.each<[string, string[], string, string]>([
    [
      'a variable that is set',
      single,
      'PORT=3000\nINTERNAL_API_KEY=<alices>\n',
      `.env sets INTERNAL_API_KEY already, on line 2: to change the key, ${byHand}write <new key>,<old key> there by hand, and remove the old key when nobody uses it any more`,
    ],
    [
      'a list, and no user',
      ['--env', 'API_KEYS'],
      'API_KEYS=alice:<alices>\n',
      'or give --user <user> to add to its list',
    ],
    [
      'a user who has a key',
      list,
      'API_KEYS="alice:<alices>,bob:<carols>"\n',
      `bob has a key in API_KEYS of .env already, on line 1: to change it, ${byHand}write bob:<new key>,bob:<old key> there by hand, and remove the old key when nobody uses it any more`,
    ],
    [
      'one key where a list is meant',
      list,
      'API_KEYS=<alices>\n',
      'API_KEYS in .env, on line 1, is no sound list of user:key (entry 1 has no user',
    ],
    [
      'a variable twice',
      list,
      'API_KEYS=alice:<alices>\nAPI_KEYS=carol:<carols>\n',
      '.env sets API_KEYS on lines 1 and 2, and only the last one counts: make one line of them first',
    ],
    [
      'a quote that is not closed',
      list,
      'API_KEYS="alice:<alices>\nB=2\n',
      '.env is written in a way that cannot be added to safely: add the key by hand, ',
    ],
    [
      'that, and quotes on the next line',
      list,
      'API_KEYS="alice:<alices>\nB="2"\n',
      '.env is written in a way that cannot be added to safely',
    ],
    [
      'a # within the value',
      list,
      'API_KEYS=alice:<alices>#old\n',
      '.env is written in a way that cannot be added to safely',
    ],
    [
      'a colon for the =',
      list,
      'API_KEYS: alice:<alices>\n',
      '.env is written in a way that cannot be added to safely',
    ],
    [
      'a reference to another variable',
      list,
      'API_KEYS=${KEYS}\n',
      '.env is written in a way that cannot be added to safely',
    ],
    [
      'a new line within a quoted value',
      single,
      'A="1\nINTERNAL_API_KEY=\n2"\nINTERNAL_API_KEY=\n',
      '.env sets INTERNAL_API_KEY on lines 2 and 4',
    ],
  ])(
    '%s -> refused with what to do, and the file is as it was',
    async (_what, args, before, sentence) => {
      const cwd = folder({ '.env': insert(before) });
      const result = await add(cwd, args);
      expect(result).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr).toMatch(/^error: .+\n$/);
      expect(result.stderr).toContain(sentence);
      expect(result.stderr).not.toContain('--force');
      expectNoKeyIn(result, insert(before));
      expect(textOf(cwd)).toBe(insert(before));
      expect(readdirSync(cwd)).toEqual(['.env']);
    },
  );

  it('--force -> misused, and the other variables stay', async () => {
    const cwd = folder({ '.env': 'PORT=3000\n' });
    const { code, stdout, stderr } = await add(cwd, [...single, '--force']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: --force does not go with --env: --out adds to a \.env, /);
    expect(textOf(cwd)).toBe('PORT=3000\n');
  });

  it('what is no UTF-8 -> refused, as its bytes would not be written back', async () => {
    const cwd = folder();
    const bytes = Buffer.from([0xff, 0xfe, 0x41, 0, 0x3d, 0, 0x31, 0]);
    writeFileSync(join(cwd, '.env'), bytes);
    const { code, stderr } = await add(cwd, single);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'error: .env cannot be added to: it is not UTF-8 text, but UTF-16; to mend it: ' +
        `node -e "const fs=require('fs'),b=fs.readFileSync('.env');fs.writeFileSync('.env',new TextDecoder('utf-16le').decode(b))"\n`,
    });
    expect(readFileSync(join(cwd, '.env'))).toEqual(bytes);
    expect(readdirSync(cwd)).toEqual(['.env']);
  });

  it('a link -> refused, and what it points to is as it was', async () => {
    const cwd = folder({ 'shared.env': 'PORT=3000\n' });
    symlinkSync('shared.env', join(cwd, '.env'));
    expect(await add(cwd, single)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: .env is not a regular file\n',
    });
    expect(textOf(cwd)).toBe('PORT=3000\n');
    expect(readdirSync(cwd).toSorted()).toEqual(['.env', 'shared.env']);
  });

  it('a disk that fails at the last moment, or somebody else who writes meanwhile -> the file is as they left it', async () => {
    const failing =
      "data:text/javascript,import fs from 'node:fs';import{syncBuiltinESMExports}from'node:module';let n=0;const f=fs.fsyncSync;" +
      "fs.fsyncSync=(d)=>{if(n++)throw Object.assign(new Error('x'),{code:'EIO'});f(d)};syncBuiltinESMExports()";
    const meddling =
      "data:text/javascript,import fs from 'node:fs';import{syncBuiltinESMExports}from'node:module';let n=0;" +
      "const o=fs.openSync;fs.openSync=(p,...a)=>{if(p==='.env'&&n++===1)fs.appendFileSync('.env','B=2\\n');return o(p,...a)};syncBuiltinESMExports()";
    const run = (hook: string, cwd: string) =>
      startProcess(
        process.execPath,
        ['--import', hook, cliFile, 'generate', ...single, '--out', '.env'],
        {
          cwd,
        },
      ).finished;
    const [failed, met] = [folder({ '.env': 'A=1\n' }), folder({ '.env': 'A=1\n' })];
    expect(await run(failing, failed)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: .env cannot be written: EIO; the key is lost: generate another\n',
    });
    expect(textOf(failed)).toBe('A=1\n');
    expect(await run(meddling, met)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: .env was changed by somebody else meanwhile; the key is lost: generate another\n',
    });
    expect(textOf(met)).toBe('A=1\nB=2\n');
    for (const cwd of [failed, met]) expect(readdirSync(cwd)).toEqual(['.env']);
  });

  it('without --env -> a file of its own, as ever', async () => {
    const cwd = folder({ '.env': 'PORT=3000\n' });
    const { code, stderr } = await cli(['generate', '--out', '.env'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: .env exists already: give another name, or --force to replace it\n',
    });
    expect(existsSync(join(cwd, '.env'))).toBe(true);
    expect(textOf(cwd)).toBe('PORT=3000\n');
  });
});
