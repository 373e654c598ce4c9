import { describe, expect, it } from 'vitest';
import { describeChallenges } from '../../src/http/challenge.js';

const challengesOf = (options: Parameters<typeof describeChallenges>[0]) => {
  const challenges = describeChallenges(options);
  return [challenges.missing, challenges.invalid, challenges.insufficient(['a', 'b'])];
};
const realm = 'api';

describe('describeChallenges', () => {
  it('no scheme -> ApiKey, naming the header; none for scopes', () => {
    const challenge = 'ApiKey realm="api", header="X-API-Key"';
    expect(challengesOf({ realm, header: 'X-API-Key' })).toEqual([challenge, challenge, undefined]);
  });

  it('Bearer in Authorization -> with errors, without the header', () => {
    expect(challengesOf({ realm, header: 'Authorization', scheme: 'Bearer' })).toEqual([
      'Bearer realm="api"',
      'Bearer realm="api", error="invalid_token"',
      'Bearer realm="api", error="insufficient_scope", scope="a b"',
    ]);
  });

  it('Bearer in another header, in another case -> the same, with the header', () => {
    expect(challengesOf({ realm, header: 'X-Auth', scheme: 'bEaRer' })).toEqual([
      'bEaRer realm="api", header="X-Auth"',
      'bEaRer realm="api", header="X-Auth", error="invalid_token"',
      'bEaRer realm="api", header="X-Auth", error="insufficient_scope", scope="a b"',
    ]);
  });

  it('another scheme -> one challenge without errors; none for scopes', () => {
    expect(challengesOf({ realm, header: 'AUTHORIZATION', scheme: 'ApiKey' })).toEqual([
      'ApiKey realm="api"',
      'ApiKey realm="api"',
      undefined,
    ]);
  });

  it.each(['X-Authorization', 'Authorization-2'])(
    'a scheme in %s -> the header is named',
    (header) => {
      expect(challengesOf({ realm, header, scheme: 'Key' })[0]).toBe(
        `Key realm="api", header="${header}"`,
      );
    },
  );

  it.each(['XBearer', 'Bearer2'])(
    'the scheme %s, which only resembles Bearer -> challenges without error codes',
    (scheme) => {
      const challenge = `${scheme} realm="api"`;
      expect(challengesOf({ realm, header: 'Authorization', scheme })).toEqual([
        challenge,
        challenge,
        undefined,
      ]);
    },
  );

  it('quotes and backslashes in a realm -> escaped, so that they add no parameter', () => {
    const [missing] = challengesOf({ realm: 'a", header="\\', header: 'X-API-Key' });
    expect(missing).toBe('ApiKey realm="a\\", header=\\"\\\\", header="X-API-Key"');
  });
});
