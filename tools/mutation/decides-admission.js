import { readFileSync } from 'node:fs';

/** All that decides whether a request is admitted. */
export const decidesAdmission = [
  'src/guard/*.ts',
  'src/lib/{admission,challenge,digest,digest-table,presented-key,response-headers,within}.ts',
  'src/sources/*.ts',
  'src/{api-key,api-key-error,key-format,key-source,require-api-key,require-scopes}.ts',
  'src/manager/{checked-key,finding-cache,key-lookup,moment,store-health}.ts',
];

/** And the methods of the manager through which a look-up goes, by their lines. */
export function verifyingMethods() {
  const file = 'src/manager/api-key-manager.ts';
  const lines = readFileSync(file, 'utf8').split('\n');
  return ['  async verify(', '  [byDigest](', '  #decide('].map((start) => {
    const from = lines.findIndex((line) => line.startsWith(start));
    if (from < 0) throw new Error(`${file} has no method that begins with "${start}"`);
    return `${file}:${from + 1}-${lines.indexOf('  }', from) + 1}`;
  });
}
