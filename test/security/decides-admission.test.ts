import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decidesAdmission } from '../../tools/mutation/decides-admission.js';

/**
 * The files that a pattern with `{a,b}` and `*` stands for: one list for each of the alternatives.
 */
function alternativesOf(pattern: string): string[][] {
  const [, before = pattern, inside = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  return inside.split(',').map((each) => filesOf(before + each + after));
}

function filesOf(path: string): string[] {
  if (!path.endsWith('/*.ts')) return existsSync(path) ? [path] : [];
  const folder = path.slice(0, -'/*.ts'.length);
  return sourcesIn(folder);
}

const sourcesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

/** Files of the same rooms that decide nothing. */
const decidesNothing = new Set([
  'src/http/fault-log.ts',
  'src/keys/diagnostics.ts',
  'src/lib/durations.ts',
  'src/lib/errors.ts',
  'src/lib/mask.ts',
  'src/lib/search-pattern.ts',
  'src/lib/warn.ts',
  // They write what was decided.
  'src/manager/cache/last-used-recorder.ts',
  'src/manager/cache/use-counts.ts',
  'src/manager/cache/write-warning.ts',
]);

describe('the list of all that decides whether a request is admitted', () => {
  it.each(decidesAdmission)('%s -> there is such a file for each alternative', (pattern) => {
    for (const files of alternativesOf(pattern)) expect(files).not.toEqual([]);
  });

  it.each(['guard', 'http', 'keys', 'lib', 'manager/cache', 'sources', 'web/account'])(
    'src/%s -> every file is listed, or is known to decide nothing',
    (room) => {
      const listed = new Set(decidesAdmission.flatMap(alternativesOf).flat());
      const unknown = sourcesIn(`src/${room}`).filter(
        (file) => listed.has(file) === decidesNothing.has(file),
      );
      expect(unknown).toEqual([]);
    },
  );
});
