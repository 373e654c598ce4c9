/** The library's names of options, each with the name that it has here. */
const words: Readonly<Record<string, string>> = {
  user: 'the user',
  name: '--name',
  scopes: '--scope',
  expiresAt: '--expires',
  metadata: '--metadata',
  digest: '--digest',
  prefix: '--prefix',
  overlapMs: '--overlap',
  claimTtlMs: '--link-ttl',
  olderThanMs: '--older-than',
  schema: '--schema',
  table: '--table',
};

/**
 * Puts a problem of the library in the words of the command line: `"expiresAt" must ...`
 * becomes `--expires must ...`.
 */
export const inOptionWords = (problem: string): string =>
  problem.replaceAll(/"(\w+)"/g, (quoted, name: string) => words[name] ?? quoted);
