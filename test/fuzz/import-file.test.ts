import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestApiKey } from '../../src/index.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';
import { readFile } from '../support/import-file.js';
import { sampleKey } from '../support/sample-key.js';

const ours = sampleKey('import');
const alice = 's3cret-alice-0001-abcdefgh-0123456789';
const users = [
  'alice',
  'José',
  'b@x.org',
  'Smith, John',
  'sha256',
  '2026-01-05 12',
  '#eve',
  ' ',
  '"',
];
const secrets = [alice, 's3cret-bob-0002-abcdefgh-0123456789', ours];
const texts = ['', ',', ';', '\t', '|', ':', '"', '\n', '\r', '\r\n', '#', 'sep=;', 'user', 'key']
  .concat('digest', 'name', 'expires_at', 'user,key\n', 'user;key\n', '2026-01-05 12:34:56+00')
  .concat('12:34', 'infinity', 'NULL', '\\N', 'https://x.org', '[{', '}]', '{"user":', '\uFEFF')
  .concat('\uFFFD', '\u200b', '\0', 'é', digestApiKey(alice), '$2b$10$abc', 'a'.repeat(600));

const piece = fc.oneof(
  fc.constantFrom(...users),
  fc.constantFrom(...secrets),
  fc.constantFrom(...texts),
  fc.string({ maxLength: 8 }),
);
const bytes = fc.oneof(
  fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''))),
  fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
  fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''), 'utf16le')),
  fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
);
const format = fc.constantFrom(undefined, 'csv', 'pairs', 'json');

/** Users and keys that stand in no other form without being quoted or split. */
const user = fc.stringMatching(/^[a-z][a-zé ._-]{0,20}[a-zé]$/u);
const key = fc.stringMatching(/^[A-Z][A-Za-z0-9_!~-]{31,60}$/);
const records = fc.uniqueArray(fc.record({ user, key }), {
  selector: (record) => record.key,
  minLength: 1,
  maxLength: 8,
});

const escaped = (text: string) => text.replaceAll(/[^\w]/g, '\\$&');
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
type Written = readonly { readonly user: string; readonly key: string }[];
const writers: readonly ((written: Written, end: string) => string)[] = [
  (written, end) => written.map((each) => `${each.user}:${each.key}${end}`).join(''),
  (written, end) => `user,key${end}${written.map((each) => `${each.user},${each.key}`).join(end)}`,
  (written, end) =>
    `Key,"User"${end}${written.map((each) => `${quoted(each.key)},${quoted(each.user)}${end}`).join('')}`,
  (written) => JSON.stringify(written, undefined, 2),
];

describe('any file to take keys over from', () => {
  it(
    'any bytes -> refused, or each key stands whole in the file and its user has none; no key is said',
    () => {
      fc.assert(
        fc.property(bytes, format, (file, declared) => {
          const { taken, said } = readFile(file, declared);
          for (const secret of secrets) expect(said.join('\n')).not.toContain(secret);
          if (said.length > 0) expect(taken).toEqual([]);
          for (const each of taken) {
            expect(each.user).not.toContain(ours);
            expect(each.user).not.toBe(each.key);
            if (declared === 'pairs') expect(each.user).not.toMatch(/[,;|\t"]/);
            expect(each.user).not.toMatch(/[\u200b\uFEFF\uFFFD]|^\s|\s$|^sha256$|^#/);
            // A key that was cut at a separator would have one next to it.
            if (each.key !== undefined && declared === undefined)
              expect(file.toString()).toMatch(
                new RegExp(`(^|[\\s,:"])${escaped(each.key)}($|[\\s,"])`),
              );
          }
        }),
        fuzz(10_000, 42),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'the same keys in any form, declared or not -> the same users and keys',
    () => {
      fc.assert(
        fc.property(records, lineEnd, fc.boolean(), (written, end, hasMark) => {
          for (const [index, write] of writers.entries()) {
            const file = `${hasMark ? '\uFEFF' : ''}${write(written, end)}`;
            for (const declared of [undefined, (['pairs', 'csv', 'csv', 'json'] as const)[index]]) {
              const { taken, said } = readFile(file, declared);
              expect(said).toEqual([]);
              expect(taken).toMatchObject(written);
              expect(taken).toHaveLength(written.length);
            }
          }
        }),
        fuzz(300, 43),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'one bad line anywhere -> nothing is taken over, and the line is named',
    () => {
      const bad = fc.constantFrom(
        'x,y,z,w',
        '2026-01-05 12:34:56+00',
        ',',
        'alice;34:56',
        '<html>',
      );
      fc.assert(
        fc.property(records, bad, fc.nat(), fc.boolean(), (written, line, place, isCsv) => {
          const lines = written.map((each) => `${each.user}${isCsv ? ',' : ':'}${each.key}`);
          const index = place % (lines.length + 1);
          lines.splice(index, 0, line);
          if (isCsv) lines.unshift('user,key');
          const { taken, said } = readFile(lines.join('\n'));
          expect(taken).toEqual([]);
          expect(said.join('\n')).toMatch(new RegExp(`\\bline ${index + (isCsv ? 2 : 1)}\\b`));
          for (const each of written) expect(said.join('\n')).not.toContain(each.key);
        }),
        fuzz(1_000, 44),
      );
    },
    fuzzTimeoutMs,
  );
});
