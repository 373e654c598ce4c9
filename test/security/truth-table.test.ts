import { describe, expect, it } from 'vitest';
import {
  requireApiKey,
  type KeySource,
  type RequireApiKeyOptions,
  type VerifyResult,
} from '../../src/index.js';
import { expressVersions, guardedApp, type CreateExpress } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

/**
 * What is presented, under which options, and what comes of it. Every row is sent over a raw socket
 * to Express 4 and 5, to one source and to two, which answer at once and later. `handler`: for whom
 * it ran, `nobody` without an identity; `-` where it must not run.
 */
const table = `
presented | options              | status | code               | challenge                 | handler
absent    | -                    | 401    | missing_api_key    | ApiKey                    | -
empty     | -                    | 401    | missing_api_key    | ApiKey                    | -
blank     | -                    | 401    | missing_api_key    | ApiKey                    | -
good      | -                    | 200    | -                  | -                         | alice
unknown   | -                    | 401    | invalid_api_key    | ApiKey                    | -
malformed | -                    | 401    | invalid_api_key    | ApiKey                    | -
expired   | -                    | 401    | expired_api_key    | ApiKey                    | -
revoked   | -                    | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | -                    | 200    | -                  | -                         | alice
twice     | -                    | 401    | invalid_api_key    | ApiKey                    | -
absent    | optional             | 200    | -                  | -                         | nobody
empty     | optional             | 200    | -                  | -                         | nobody
blank     | optional             | 200    | -                  | -                         | nobody
good      | optional             | 200    | -                  | -                         | alice
unknown   | optional             | 401    | invalid_api_key    | ApiKey                    | -
malformed | optional             | 401    | invalid_api_key    | ApiKey                    | -
expired   | optional             | 401    | expired_api_key    | ApiKey                    | -
revoked   | optional             | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | optional             | 200    | -                  | -                         | alice
twice     | optional             | 401    | invalid_api_key    | ApiKey                    | -
absent    | scheme               | 401    | missing_api_key    | Bearer                    | -
empty     | scheme               | 401    | missing_api_key    | Bearer                    | -
blank     | scheme               | 401    | missing_api_key    | Bearer                    | -
good      | scheme               | 200    | -                  | -                         | alice
unknown   | scheme               | 401    | invalid_api_key    | Bearer invalid_token      | -
malformed | scheme               | 401    | invalid_api_key    | Bearer invalid_token      | -
expired   | scheme               | 401    | expired_api_key    | Bearer invalid_token      | -
revoked   | scheme               | 401    | revoked_api_key    | Bearer invalid_token      | -
unscoped  | scheme               | 200    | -                  | -                         | alice
twice     | scheme               | 401    | invalid_api_key    | Bearer invalid_token      | -
absent    | scopes               | 401    | missing_api_key    | ApiKey                    | -
empty     | scopes               | 401    | missing_api_key    | ApiKey                    | -
blank     | scopes               | 401    | missing_api_key    | ApiKey                    | -
good      | scopes               | 200    | -                  | -                         | alice
unknown   | scopes               | 401    | invalid_api_key    | ApiKey                    | -
malformed | scopes               | 401    | invalid_api_key    | ApiKey                    | -
expired   | scopes               | 401    | expired_api_key    | ApiKey                    | -
revoked   | scopes               | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | scopes               | 403    | insufficient_scope | -                         | -
twice     | scopes               | 401    | invalid_api_key    | ApiKey                    | -
absent    | https plain          | 403    | https_required     | -                         | -
empty     | https plain          | 403    | https_required     | -                         | -
blank     | https plain          | 403    | https_required     | -                         | -
good      | https plain          | 403    | https_required     | -                         | -
unknown   | https plain          | 403    | https_required     | -                         | -
malformed | https plain          | 403    | https_required     | -                         | -
expired   | https plain          | 403    | https_required     | -                         | -
revoked   | https plain          | 403    | https_required     | -                         | -
unscoped  | https plain          | 403    | https_required     | -                         | -
twice     | https plain          | 403    | https_required     | -                         | -
absent    | https secure         | 401    | missing_api_key    | ApiKey                    | -
empty     | https secure         | 401    | missing_api_key    | ApiKey                    | -
blank     | https secure         | 401    | missing_api_key    | ApiKey                    | -
good      | https secure         | 200    | -                  | -                         | alice
unknown   | https secure         | 401    | invalid_api_key    | ApiKey                    | -
malformed | https secure         | 401    | invalid_api_key    | ApiKey                    | -
expired   | https secure         | 401    | expired_api_key    | ApiKey                    | -
revoked   | https secure         | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | https secure         | 200    | -                  | -                         | alice
twice     | https secure         | 401    | invalid_api_key    | ApiKey                    | -
absent    | strip                | 401    | missing_api_key    | ApiKey                    | -
empty     | strip                | 401    | missing_api_key    | ApiKey                    | -
blank     | strip                | 401    | missing_api_key    | ApiKey                    | -
good      | strip                | 200    | -                  | -                         | alice
unknown   | strip                | 401    | invalid_api_key    | ApiKey                    | -
malformed | strip                | 401    | invalid_api_key    | ApiKey                    | -
expired   | strip                | 401    | expired_api_key    | ApiKey                    | -
revoked   | strip                | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | strip                | 200    | -                  | -                         | alice
twice     | strip                | 401    | invalid_api_key    | ApiKey                    | -
absent    | optional scheme      | 200    | -                  | -                         | nobody
empty     | optional scheme      | 200    | -                  | -                         | nobody
blank     | optional scheme      | 200    | -                  | -                         | nobody
good      | optional scheme      | 200    | -                  | -                         | alice
unknown   | optional scheme      | 401    | invalid_api_key    | Bearer invalid_token      | -
malformed | optional scheme      | 401    | invalid_api_key    | Bearer invalid_token      | -
expired   | optional scheme      | 401    | expired_api_key    | Bearer invalid_token      | -
revoked   | optional scheme      | 401    | revoked_api_key    | Bearer invalid_token      | -
unscoped  | optional scheme      | 200    | -                  | -                         | alice
twice     | optional scheme      | 401    | invalid_api_key    | Bearer invalid_token      | -
absent    | optional scopes      | 200    | -                  | -                         | nobody
empty     | optional scopes      | 200    | -                  | -                         | nobody
blank     | optional scopes      | 200    | -                  | -                         | nobody
good      | optional scopes      | 200    | -                  | -                         | alice
unknown   | optional scopes      | 401    | invalid_api_key    | ApiKey                    | -
malformed | optional scopes      | 401    | invalid_api_key    | ApiKey                    | -
expired   | optional scopes      | 401    | expired_api_key    | ApiKey                    | -
revoked   | optional scopes      | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | optional scopes      | 403    | insufficient_scope | -                         | -
twice     | optional scopes      | 401    | invalid_api_key    | ApiKey                    | -
absent    | scheme scopes        | 401    | missing_api_key    | Bearer                    | -
empty     | scheme scopes        | 401    | missing_api_key    | Bearer                    | -
blank     | scheme scopes        | 401    | missing_api_key    | Bearer                    | -
good      | scheme scopes        | 200    | -                  | -                         | alice
unknown   | scheme scopes        | 401    | invalid_api_key    | Bearer invalid_token      | -
malformed | scheme scopes        | 401    | invalid_api_key    | Bearer invalid_token      | -
expired   | scheme scopes        | 401    | expired_api_key    | Bearer invalid_token      | -
revoked   | scheme scopes        | 401    | revoked_api_key    | Bearer invalid_token      | -
unscoped  | scheme scopes        | 403    | insufficient_scope | Bearer insufficient_scope | -
twice     | scheme scopes        | 401    | invalid_api_key    | Bearer invalid_token      | -
absent    | optional strip       | 200    | -                  | -                         | nobody
empty     | optional strip       | 200    | -                  | -                         | nobody
blank     | optional strip       | 200    | -                  | -                         | nobody
good      | optional strip       | 200    | -                  | -                         | alice
unknown   | optional strip       | 401    | invalid_api_key    | ApiKey                    | -
malformed | optional strip       | 401    | invalid_api_key    | ApiKey                    | -
expired   | optional strip       | 401    | expired_api_key    | ApiKey                    | -
revoked   | optional strip       | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | optional strip       | 200    | -                  | -                         | alice
twice     | optional strip       | 401    | invalid_api_key    | ApiKey                    | -
absent    | optional https plain | 403    | https_required     | -                         | -
empty     | optional https plain | 403    | https_required     | -                         | -
blank     | optional https plain | 403    | https_required     | -                         | -
good      | optional https plain | 403    | https_required     | -                         | -
unknown   | optional https plain | 403    | https_required     | -                         | -
malformed | optional https plain | 403    | https_required     | -                         | -
expired   | optional https plain | 403    | https_required     | -                         | -
revoked   | optional https plain | 403    | https_required     | -                         | -
unscoped  | optional https plain | 403    | https_required     | -                         | -
twice     | optional https plain | 403    | https_required     | -                         | -
absent    | scopes https secure  | 401    | missing_api_key    | ApiKey                    | -
empty     | scopes https secure  | 401    | missing_api_key    | ApiKey                    | -
blank     | scopes https secure  | 401    | missing_api_key    | ApiKey                    | -
good      | scopes https secure  | 200    | -                  | -                         | alice
unknown   | scopes https secure  | 401    | invalid_api_key    | ApiKey                    | -
malformed | scopes https secure  | 401    | invalid_api_key    | ApiKey                    | -
expired   | scopes https secure  | 401    | expired_api_key    | ApiKey                    | -
revoked   | scopes https secure  | 401    | revoked_api_key    | ApiKey                    | -
unscoped  | scopes https secure  | 403    | insufficient_scope | -                         | -
twice     | scopes https secure  | 401    | invalid_api_key    | ApiKey                    | -
absent    | scheme strip         | 401    | missing_api_key    | Bearer                    | -
empty     | scheme strip         | 401    | missing_api_key    | Bearer                    | -
blank     | scheme strip         | 401    | missing_api_key    | Bearer                    | -
good      | scheme strip         | 200    | -                  | -                         | alice
unknown   | scheme strip         | 401    | invalid_api_key    | Bearer invalid_token      | -
malformed | scheme strip         | 401    | invalid_api_key    | Bearer invalid_token      | -
expired   | scheme strip         | 401    | expired_api_key    | Bearer invalid_token      | -
revoked   | scheme strip         | 401    | revoked_api_key    | Bearer invalid_token      | -
unscoped  | scheme strip         | 200    | -                  | -                         | alice
twice     | scheme strip         | 401    | invalid_api_key    | Bearer invalid_token      | -
`;

const keys = {
  good: sampleKey('good'),
  unscoped: sampleKey('unscoped'),
  expired: sampleKey('expired'),
  revoked: sampleKey('revoked'),
  unknown: sampleKey('unknown'),
};

/** The header's value, line by line; the scheme goes before each key. */
const presentations: Record<string, readonly (string | undefined)[]> = {
  absent: [],
  empty: [''],
  blank: ['  '],
  good: [keys.good],
  unscoped: [keys.unscoped],
  expired: [keys.expired],
  revoked: [keys.revoked],
  unknown: [keys.unknown],
  malformed: [`${keys.good} x`],
  twice: [keys.good, keys.good],
};

const answers = new Map<string, VerifyResult | { user: string; scopes?: string[] }>([
  [keys.good, { user: 'alice', scopes: ['audio:write'] }],
  [keys.unscoped, { user: 'alice' }],
  [keys.expired, { ok: false, code: 'expired_api_key' }],
  [keys.revoked, { ok: false, code: 'revoked_api_key' }],
]);

const knowing = (key: string) => answers.get(key);
const ignorant = () => undefined;
const later = (verify: (key: string) => ReturnType<typeof knowing>): KeySource => ({
  verify: async (key) => Promise.resolve(verify(key)),
});
const sources: Record<string, NonNullable<RequireApiKeyOptions['source']>> = {
  'one source at once': knowing,
  'one source later': later(knowing),
  'two sources at once': [ignorant, knowing],
  'two sources later': [later(ignorant), knowing],
};

const settings: Record<string, RequireApiKeyOptions> = {
  '-': {},
  optional: { optional: true },
  scheme: { header: 'Authorization', scheme: 'Bearer' },
  scopes: { scopes: ['audio:write'] },
  https: { requireHttps: true },
  strip: { stripHeader: true },
};

const challenges: Record<string, string | undefined> = {
  '-': undefined,
  ApiKey: 'ApiKey realm="api", header="X-API-Key"',
  Bearer: 'Bearer realm="api"',
  'Bearer invalid_token': 'Bearer realm="api", error="invalid_token"',
  'Bearer insufficient_scope':
    'Bearer realm="api", error="insufficient_scope", scope="audio:write"',
};

const rows = table
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [presented, options, status, code, challenge, handler] = line
      .split('|')
      .map((cell) => cell.trim());
    return {
      presented: presented!,
      options: options!,
      status: Number(status),
      code,
      challenge: challenge!,
      handler,
    };
  });

async function send(
  express: CreateExpress,
  source: RequireApiKeyOptions['source'],
  row: (typeof rows)[number],
) {
  const words = row.options.split(' ');
  const options = Object.assign({ source }, ...words.map((word) => settings[word]));
  const app = await guardedApp(express, {
    before: [
      (req, _res, next) => {
        Object.defineProperty(req, 'secure', { value: words.includes('secure') });
        next();
      },
    ],
    guard: requireApiKey(options),
    answer: (req, res) => void res.json({ handler: req.apiKey?.user ?? 'nobody' }),
  });
  const scheme = words.includes('scheme');
  const lines = presentations[row.presented]!.map(
    (value) => `${scheme ? 'Authorization: Bearer ' : 'X-API-Key: '}${value}`,
  );
  return app.raw(lines);
}

describe.each(expressVersions)('the truth table, on $version', ({ express }) => {
  describe.each(Object.keys(sources))('%s', (name) => {
    it.each(rows)('$presented, options $options -> $status $code', async (row) => {
      const { status, headers, text, handlerRuns } = await send(express, sources[name], row);
      const body = JSON.parse(text) as { code?: string; handler?: string };
      expect({
        status,
        code: body.code ?? '-',
        challenge: headers['www-authenticate'],
        handler: body.handler ?? '-',
        handlerRuns,
      }).toEqual({
        status: row.status,
        code: row.code,
        challenge: challenges[row.challenge],
        handler: row.handler,
        handlerRuns: row.status === 200 ? 1 : 0,
      });
    });
  });
});
