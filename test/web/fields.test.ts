import { describe, expect, it } from 'vitest';
import { startAccount } from '../support/account-app.js';
import { startDesk } from '../support/desk-app.js';
import { expressVersions } from '../support/guarded-app.js';
import { expectWebProblem } from '../support/web-app.js';

const dayMs = 86_400_000;
const wrongTypes = [7, true, null, {}, ['x']];
const wrongTexts = [
  '',
  ' ',
  'x'.repeat(257),
  'a\u0000',
  'a\nb',
  'a\u007f',
  'a\ud800',
  ...wrongTypes,
];
const wrongScopes = [
  'audio:read',
  7,
  null,
  {},
  [''],
  ['a b'],
  ['a"'],
  ['ü'],
  ['a\u0000'],
  ['\ud800'],
  [7],
  [['a']],
  ['x'.repeat(257)],
  Array.from({ length: 101 }, (_, index) => `s${index}`),
];
const wrongInstants = [
  '',
  'soon',
  '2999-01-01',
  '2999-01-01T00:00:00',
  '2999-01-01T00:00:00+01:00',
  '2999-02-30T00:00:00Z',
  '2999-01-01T25:00:00Z',
  '10000-01-01T00:00:00Z',
  '+010000-01-01T00:00:00.000Z',
  '2020-01-01T00:00:00Z',
  Date.now() + dayMs,
  true,
  {},
  [],
];
const wrongReasons = ['', 'x'.repeat(1_001), 'a\u0000', 'a\ud800', ...wrongTypes];
const wrongNumbers = [-1, 1.5, 1e300, '1', true, null, {}];

/** Each field of both APIs, with what it does not take. */
const fields: [api: 'account' | 'desk', path: string, field: string, values: unknown[]][] = [
  ['account', 'keys', 'name', wrongTexts],
  ['account', 'keys', 'scopes', wrongScopes],
  ['account', 'keys', 'expiresAt', [...wrongInstants, null]],
  ...['keys', 'claims'].flatMap((path): typeof fields => [
    ['desk', path, 'user', wrongTexts],
    ['desk', path, 'name', wrongTexts],
    ['desk', path, 'scopes', wrongScopes],
    // An end of a new key may lie behind.
    ['desk', path, 'expiresAt', [...wrongInstants.filter((each) => !isPast(each)), null]],
    ['desk', path, 'reason', wrongReasons],
  ]),
  ['desk', 'claims', 'claimTtlMs', [...wrongNumbers, 0, 31 * dayMs]],
  ['desk', 'keys/ID/update', 'user', wrongTexts],
  ['desk', 'keys/ID/update', 'name', wrongTexts.filter((each) => each !== null)],
  ['desk', 'keys/ID/update', 'scopes', wrongScopes],
  ['desk', 'keys/ID/update', 'expiresAt', wrongInstants.filter((each) => !isPast(each))],
  [
    'desk',
    'keys/ID/update',
    'allowedAddresses',
    ['::1', 7, null, {}, [''], ['10.0.0.1/8'], ['a.example']],
  ],
  ['desk', 'keys/ID/update', 'reason', wrongReasons],
  ['desk', 'keys/ID/pause', 'until', [...wrongInstants, null]],
  ['desk', 'keys/ID/pause', 'reason', wrongReasons],
  ['desk', 'keys/ID/resume', 'reason', wrongReasons],
  ['desk', 'keys/ID/rotate', 'overlapMs', wrongNumbers],
  ['desk', 'keys/ID/rotate', 'startsAt', ['later', '', 7, null]],
  ['desk', 'keys/ID/rotate', 'reason', wrongReasons],
  ['desk', 'keys/ID/revoke', 'family', ['true', 1, null]],
  ['desk', 'keys/ID/revoke', 'reason', wrongReasons],
  ['desk', 'users/alice/revoke', 'reason', wrongReasons],
];

function isPast(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('2020');
}

describe.each(expressVersions)('fields at their edges, on $version', ({ express }) => {
  const start = async (api: 'account' | 'desk') => {
    if (api === 'desk') return startDesk({ express });
    const { as, keys } = await startAccount({ express });
    return { keys, ask: as('alice') };
  };

  it.each(fields)(
    '%s, %s: "%s" that is wrong -> 400 that names it, and nothing is changed',
    async (api, path, field, values) => {
      const { ask, keys } = await start(api);
      const { record } = await keys.create({ user: 'alice' });
      const before = [
        (await keys.list()).map(withoutUse),
        await keys.listClaims(),
        await keys.history(),
      ];
      const needed = { account: { name: 'x' }, desk: { user: 'carol' } }[api];
      const isNew = path === 'keys' || path === 'claims';
      for (const value of values) {
        const body = { ...(isNew && needed), [field]: value };
        const reply = await ask('POST', path.replace('ID', record.keyId), { body });
        const what = JSON.stringify(value).slice(0, 60);
        expect([what, reply.status, reply.json['code']]).toEqual([what, 400, 'malformed_request']);
        expectWebProblem(reply, 400, 'malformed_request');
        expect(reply.json['detail']).toContain(`"${field}"`);
      }
      const after = [
        (await keys.list()).map(withoutUse),
        await keys.listClaims(),
        await keys.history(),
      ];
      expect(after).toEqual(before);
    },
  );

  it.each(['account', 'desk'] as const)(
    '%s: fields at the last value that they take -> a key, exactly so',
    async (api) => {
      const { ask, keys } = await start(api);
      const [user, name] = ['u'.repeat(256), '🎧'.repeat(128)];
      const expiresAt = '9999-12-31T23:59:59.999Z';
      const scopes = api === 'desk' ? ['!~', 's'.repeat(256)] : ['audio:read', 'audio:write'];
      const body = {
        name,
        scopes,
        expiresAt,
        ...(api === 'desk' && { user, reason: 'r'.repeat(1_000) }),
      };
      const reply = await ask('POST', 'keys', { body });
      expect(reply.status).toBe(201);
      const { keyId } = reply.json['record'] as { keyId: string };
      expect(await keys.get(keyId)).toMatchObject({ name, scopes, expiresAt: new Date(expiresAt) });
    },
  );
});

/** The operator's own key is used by asking. */
const withoutUse = ({ lastUsedAt: _lastUsedAt, ...record }: { lastUsedAt?: Date }) => record;
