import { describe, expect, it } from 'vitest';
import { ApiKeyError, type ApiKeyErrorCode } from '../../src/index.js';

const challenge = 'ApiKey realm="api", header="X-API-Key"';

describe('ApiKeyError', () => {
  it.each<[ApiKeyErrorCode, number, Record<string, string>]>([
    ['missing_api_key', 401, { 'WWW-Authenticate': challenge }],
    ['invalid_api_key', 401, { 'WWW-Authenticate': challenge }],
    ['expired_api_key', 401, { 'WWW-Authenticate': challenge }],
    ['revoked_api_key', 401, { 'WWW-Authenticate': challenge }],
    ['insufficient_scope', 403, {}],
    ['https_required', 403, {}],
    ['api_key_not_configured', 503, { 'Retry-After': '60' }],
    ['key_source_failed', 503, { 'Retry-After': '5' }],
  ])('%s -> %i, its headers, and exposed below 500 alone', (code, status, headers) => {
    const error = new ApiKeyError(code);
    expect(error).toMatchObject({ name: 'ApiKeyError', code, status, expose: status < 500 });
    expect(error.headers).toStrictEqual({
      'Cache-Control': 'no-store',
      Vary: 'X-API-Key',
      ...headers,
    });
    expect(error.message).toMatch(/^\S.*\.$/);
    expect(error.title).toMatch(/\S/);
    expect('cause' in error).toBe(false);
  });

  it('options given -> they take the place of the defaults', () => {
    const cause = new Error('down');
    const error = new ApiKeyError('invalid_api_key', {
      cause,
      detail: 'No.',
      challenge: 'Bearer realm="x"',
      vary: 'Authorization',
    });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe('No.');
    expect(error.headers).toMatchObject({
      'WWW-Authenticate': 'Bearer realm="x"',
      Vary: 'Authorization',
    });
    expect(
      new ApiKeyError('insufficient_scope', { challenge: 'Bearer' }).headers['WWW-Authenticate'],
    ).toBe('Bearer');
  });
});
