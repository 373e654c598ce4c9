import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const widest = 100;

/** Words and forms that the house style has replaced, each with what to write. */
const replaced: readonly (readonly [RegExp, string])[] = [
  [/\bwho(?:so)?ever\b/i, 'name them: "a client", "anyone who"'],
  [/\bwherever\b/i, '"everywhere that", "if"'],
  [/\bwith(?:draw|drew|drawn|drawal)\b/i, 'a claim link is revoked'],
  [/\bforeign\b/i, 'legacy key, custom source, unrelated table'],
  [/\bwhere there (?:is|are)\b/i, '"if there is"'],
  [/\bwhere it (?:is|was|has|can|fails|may|did|does)\b/i, '"if it is"'],
  [/\bwhere none (?:is|was|comes)\b/i, '"if none is"'],
  [/\bwhere the (?:store|key|database) (?:fails|is|was)\b/i, '"if the store fails"'],
  [
    /\b(?:licences?|(?:col|behavi|fav|hon)ours?|judgement|ageing|cancelled|labelled|misspelt|learnt|towards|(?:recogn|organ|initial|serial|normal)is(?:e|es|ed|ing))\b/i,
    'the American spelling',
  ],
];

/** The same, in the source alone: names of things that now have a textbook name. */
const privateTerms: readonly (readonly [RegExp, string])[] = [
  [/\bstretch(?:es)?\b/i, 'watch epoch'],
  [/\bpassages?\b/i, 'request context'],
  [/\boutlets?\b/i, 'secret sink'],
];

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.md') ? [`docs/${name}`] : [],
  ),
];

/** The rooms of the source, and the files beside them as `.`. */
const rooms: readonly string[] = [
  '.',
  ...readdirSync('src', { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  ),
];

interface Line {
  readonly place: string;
  readonly text: string;
}

/** The prose of a document: no fences, no tables, no addresses that cannot be broken. */
function proseOf(file: string): Line[] {
  let inFence = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const isFence = /^\s*```/.test(text);
      if (isFence) inFence = !inFence;
      const isProse = !isFence && !inFence && !/^\s*\|/.test(text);
      return isProse ? [{ place: `${file}:${index + 1}`, text }] : [];
    });
}

/** The comments of a source file, line by line. */
function commentsOf(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) =>
      /^\s*(?:\/\/|\/?\*)/.test(text) ? [{ place: `${file}:${index + 1}`, text }] : [],
    );
}

const tooWide = (lines: readonly Line[]) =>
  lines.filter(({ text }) => text.length > widest).map(({ place }) => place);

const oldWords = (lines: readonly Line[], words: typeof replaced) =>
  lines.flatMap(({ place, text }) =>
    words.flatMap(([word, instead]) => {
      const found = word.exec(text.replaceAll(/`[^`]*`/g, ''));
      return found ? [`${place} "${found[0]}": ${instead}`] : [];
    }),
  );

describe('the words of the documents', () => {
  it.each(documents)(
    '%s -> lines of at most 100 columns, and no word that the house style has replaced',
    (file) => {
      const prose = proseOf(file);
      expect(tooWide(prose)).toEqual([]);
      expect(oldWords(prose, replaced)).toEqual([]);
    },
  );
});

describe('the lines of the source', () => {
  // Prettier breaks code, but neither SQL nor messages. A pattern cannot be broken, nor can the
  // titles of the contract suites.
  it.each(['cli', 'keys', 'lib', 'manager', 'sources', 'stores', 'web'])(
    'src/%s, SQL and messages included -> at most 100 columns, patterns apart',
    (room) => {
      const long = readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && name !== 'assets.ts')
        .flatMap((name) => {
          const lines = readFileSync(join('src', room, name), 'utf8').split('\n');
          return lines.map((text, index) => ({ place: `${name}:${index + 1}`, text }));
        });
      expect(tooWide(long.filter(({ text }) => !/^\s*(?:String\.raw`|\/)/.test(text)))).toEqual([]);
    },
  );
});

describe('the words of the source', () => {
  it.each(rooms)(
    'the comments of src/%s -> lines of at most 100 columns, and no word that the house style has replaced',
    (room) => {
      const comments = readdirSync(join('src', room), { recursive: room !== '.', encoding: 'utf8' })
        // The embedded files of the pages are generated.
        .filter((name) => /\.[jt]s$/.test(name) && name !== 'assets.ts')
        .flatMap((name) => commentsOf(join('src', room, name)));
      expect(tooWide(comments)).toEqual([]);
      expect(oldWords(comments, [...replaced, ...privateTerms])).toEqual([]);
    },
  );
});

it.each(['bench', 'examples', 'scripts', 'test', 'tools'])(
  'the comments of %s -> lines of at most 100 columns',
  (room) => {
    const comments = readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter(
        (name) => /\.[jt]s$/.test(name) && !/(?:^|[\\/])(?:node_modules|dist)[\\/]/.test(name),
      )
      .flatMap((name) => commentsOf(join(room, name)));
    expect(comments.length).toBeGreaterThan(0);
    expect(tooWide(comments)).toEqual([]);
  },
);
