import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';
import { startWebApp } from '../support/web-app.js';

const json = fc.oneof(
  fc.json(),
  fc
    .record(
      {
        token: fc.oneof(fc.anything(), fc.stringMatching(/^[\w-]{43}$/)),
        user: fc.anything(),
        name: fc.anything(),
        scopes: fc.anything(),
        expiresAt: fc.anything(),
        claimTtlMs: fc.anything(),
        overlapMs: fc.anything(),
        family: fc.anything(),
        metadata: fc.anything(),
        ['__proto__']: fc.anything(),
      },
      { requiredKeys: [] },
    )
    .map((value) =>
      JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? 1 : part)),
    ),
);
const body = fc.oneof(
  json.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
const type = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
);

describe('any bytes in a body', () => {
  it(
    'to the claim page -> a refusal of ours, no key, and the open link stays open',
    async () => {
      const { keys, port } = await startWebApp();
      const { claim } = await keys.createClaim({ user: 'alice' });
      const address = fc.constantFrom('/claim', '/claim/claim', '/claim/describe');
      await fc.assert(
        fc.asyncProperty(address, type, body, async (path, contentType, bytes) => {
          const { status, text } = await post(port, path, bytes, { 'Content-Type': contentType });
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
          expect(text).not.toMatch(/key_[0-9A-Za-z]{48}/);
        }),
        fuzz(400, 42),
      );
      expect(await keys.listClaims({ status: 'open' })).toMatchObject([{ claimId: claim.claimId }]);
      expect(await keys.list()).toEqual([]);
    },
    fuzzTimeoutMs,
  );

  it(
    "to the desk, by an operator -> done or refused in words of ours; without the operator's key nothing is done",
    async () => {
      const { keys, port } = await startWebApp();
      const { key, record } = await keys.create({ user: 'op', scopes: ['keys:manage'] });
      const other = await keys.create({ user: 'bob' });
      const address = fc.constantFrom(
        'keys',
        'claims',
        `keys/${other.record.keyId}/rotate`,
        'keys/%00/revoke',
        'claims/x/revoke',
      );
      await fc.assert(
        fc.asyncProperty(
          address,
          type,
          body,
          fc.boolean(),
          async (path, contentType, bytes, isOperator) => {
            const headers = {
              'Content-Type': contentType,
              ...(isOperator && { 'X-API-Key': key }),
            };
            const { status, text } = await post(port, `/keys/api/${path}`, bytes, headers);
            expect(status).toBeLessThan(500);
            if (!isOperator) expect(status).toBe(401);
            expect(text).not.toContain(key);
          },
        ),
        fuzz(400, 43),
      );
      expect((await keys.get(record.keyId))?.revokedAt).toBeUndefined();
    },
    fuzzTimeoutMs,
  );
});

async function post(port: number, path: string, bytes: Buffer, headers: Record<string, string>) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(bytes),
  });
  return { status: response.status, text: await response.text() };
}
