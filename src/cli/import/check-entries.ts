import { digestApiKey } from '../../lib/digest.js';
import { isUnresolved } from '../../sources/key-entries.js';
import { describeWeakness, weaknessOf } from '../../sources/weakness.js';
import { checkImportOptions } from '../../manager/manager-options.js';
import type { ImportEntry } from './read-entries.js';

export interface CheckedEntry extends ImportEntry {
  readonly digest: string;
}

/** What can be taken over, and what is wrong with the rest, by place and never by value. */
export function checkEntries(entries: readonly ImportEntry[]): {
  good: CheckedEntry[];
  problems: string[];
  weak: string[];
} {
  const good: CheckedEntry[] = [];
  const problems: string[] = [];
  const weak: string[] = [];
  const owners = new Map<string, { user: string; place: string }>();
  for (const entry of entries) {
    const { place, options } = entry;
    const problem = entry.problem ?? complaintOf(options);
    if (problem !== undefined) {
      problems.push(`${place} ${problem}`);
      continue;
    }
    const digest = options.digest?.toLowerCase() ?? digestApiKey(options.key!);
    const owner = owners.get(digest);
    if (owner && owner.user !== options.user) {
      problems.push(`${place} has the key of another user, on ${owner.place}`);
      continue;
    }
    owners.set(digest, { user: options.user, place });
    good.push({ ...entry, digest });
    const weakness = options.key === undefined ? undefined : weaknessOf(options.key);
    if (weakness !== undefined) weak.push(`${place}: the key ${describeWeakness[weakness]}`);
  }
  return { good, problems, weak };
}

function complaintOf(options: ImportEntry['options']): string | undefined {
  if (options.user === undefined || options.user === '') return 'has no user';
  if ((options.key ?? options.digest ?? '') === '') return 'has no key';
  if (options.key !== undefined && typeof options.key === 'string' && isUnresolved(options.key)) {
    return 'has an unresolved reference instead of a key';
  }
  try {
    checkImportOptions(options);
    return undefined;
  } catch (error) {
    return `is refused: ${(error as Error).message.replace(/^import: /, '')}`;
  }
}
