import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiKeyError, type ApiKeyErrorCode, type RefusalReason } from '../../src/index.js';

const readme = readFileSync('README.md', 'utf8');
const errors = readFileSync('docs/errors.md', 'utf8');

// Every code with its status; a code that is added to the library does not compile here until it is
// named.
const statuses: Record<ApiKeyErrorCode, number> = {
  missing_api_key: 401,
  invalid_api_key: 401,
  expired_api_key: 401,
  revoked_api_key: 401,
  paused_api_key: 403,
  address_not_allowed: 403,
  insufficient_scope: 403,
  https_required: 403,
  api_key_not_configured: 503,
  key_source_failed: 503,
};

// Likewise: a reason that is added does not compile until it is named here, and does not pass until
// it is explained.
const reasons: Record<RefusalReason, true> = {
  header_absent: true,
  header_blank: true,
  other_scheme: true,
  repeated_header: true,
  too_long: true,
  bad_character: true,
  unknown_key: true,
  expired: true,
  revoked: true,
  paused: true,
  address: true,
  scope_missing: true,
  plain_http: true,
  nothing_configured: true,
  broken_configuration: true,
  source_threw: true,
  source_timed_out: true,
  source_answered_nonsense: true,
};

describe('the documents', () => {
  it('the README -> at most 150 lines, with code by line 10', () => {
    const lines = readme.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(150);
    expect(lines.slice(0, 10)).toContain('```js');
  });

  it('docs/errors.md -> one heading a code, each with its status', () => {
    const headings = [...errors.matchAll(/^## `(\w+)`\n\nStatus (\d+)\./gm)].map(
      ([, code, status]) => [code, Number(status)],
    );
    expect(Object.fromEntries(headings)).toEqual(statuses);
    expect(headings).toHaveLength(10);
  });

  it('the table of refusals in the README -> the codes and statuses of the library', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)`\s+\| (\d+)\s+\|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(Object.fromEntries(rows)).toEqual(statuses);
    for (const code of Object.keys(statuses) as ApiKeyErrorCode[]) {
      expect(new ApiKeyError(code).status).toBe(statuses[code]);
    }
  });

  it('the reasons in docs/errors.md -> those of the diagnostics, each once', () => {
    const told = [...errors.matchAll(/Reasons?: ([^]*?)\n\n/g)].flatMap(([, list]) =>
      [...list!.matchAll(/`(\w+)`/g)].map(([, reason]) => reason!),
    );
    expect(told.toSorted()).toEqual(Object.keys(reasons).toSorted());
  });

  it('the table of options in the README -> exactly the options that there are, with their defaults', () => {
    const options = [...readme.matchAll(/^\| `(\w+)`\s+\| (`[^|]+`|none)\s+\|/gm)].map(
      ([, name]) => name!,
    );
    const source = readFileSync('src/guard/require-api-key.ts', 'utf8');
    const declared = [...source.matchAll(/^  (\w+)\?: /gm)].map(([, name]) => name!);
    expect(options).toEqual(declared);
  });
});
