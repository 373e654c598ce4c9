import { readdirSync, readFileSync } from 'node:fs';
import { generateApiKey } from 'require-api-key';
import { describe, expect, it } from 'vitest';

const alice = generateApiKey();

describe('secret scanning', () => {
  const rule = readFileSync('examples/recipes/gitleaks.toml', 'utf8');
  const [, pattern] = /regex = '''(.*)'''/.exec(rule)!;
  const keys = ['key', 'myapp', 'my_app_2', `a${'b'.repeat(31)}`].flatMap((prefix) =>
    Array.from({ length: 100 }, () => generateApiKey({ prefix }).key),
  );

  function entropyOf(text: string): number {
    const counts = new Map<string, number>();
    for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1);
    return [...counts.values()].reduce(
      (sum, n) => sum - (n / text.length) * Math.log2(n / text.length),
      0,
    );
  }

  it('a generated key in the places where keys leak -> found whole by the gitleaks rule, above its entropy', () => {
    const [, least] = /entropy = (\d)/.exec(rule)!;
    for (const key of keys) {
      for (const line of [
        `KEY=${key}`,
        `"x-api-key": "${key}"`,
        `API_KEYS=alice:${key},bob:`,
        `curl '${key}'`,
      ]) {
        expect(new RegExp(pattern!).exec(line)?.[1]).toBe(key);
      }
      expect(entropyOf(key)).toBeGreaterThan(Number(least));
    }
  });

  it('digests, key ids, commit hashes and names in code -> not found', () => {
    for (const text of [
      alice.digest,
      alice.keyId,
      'a'.repeat(40),
      `const ${'some_long_name_'.repeat(5)} = 1`,
    ]) {
      expect(text).not.toMatch(new RegExp(pattern!));
    }
  });

  it('the pattern in the README -> the same, without the group', () => {
    const [, published] = /For secret scanners: `(.*)`/.exec(readFileSync('README.md', 'utf8'))!;
    expect(published).toBe(pattern!.replaceAll(/[()]/g, ''));
  });

  it("the pattern in docs/recipes.md, between GitHub's own surroundings -> finds every generated key", () => {
    const [, secret] = /Secret format: `(.*)`/.exec(readFileSync('docs/recipes.md', 'utf8'))!;
    for (const key of keys)
      expect(`KEY=${key}\n`).toMatch(new RegExp(`[^0-9A-Za-z]${secret}[^0-9A-Za-z]`));
  });
});

describe('deployment', () => {
  const read = (name: string) => readFileSync(`examples/recipes/${name}`, 'utf8');

  it('render.yaml -> a key that Render generates, none that is written down', () => {
    expect(read('render.yaml')).toMatch(/- key: INTERNAL_API_KEY\n\s+generateValue: true/);
    expect(read('render.yaml')).not.toMatch(/^\s+value:/m);
  });

  it('Dockerfile -> no key among its layers, and not run as root', () => {
    const lines = read('Dockerfile')
      .split('\n')
      .filter((line) => !line.startsWith('#'));
    expect(lines.filter((line) => /KEY|\.env/.test(line))).toEqual([]);
    expect(lines.indexOf('USER node')).toBeLessThan(
      lines.findIndex((line) => line.startsWith('CMD')),
    );
    expect(lines).toContain('USER node');
  });

  it('Dockerfile -> copies what it names, never the whole folder with its .env and .git', () => {
    const copies = read('Dockerfile').match(/^(?:COPY|ADD) .*$/gm)!;
    expect(copies.length).toBeGreaterThan(1);
    for (const copy of copies) expect(copy).not.toMatch(/^\S+(?: --\S+)* \.\/? /);
  });

  it('systemd unit -> the key from a file of root, and no rights beyond it', () => {
    const unit = read('audio-api.service');
    expect(unit).toContain('EnvironmentFile=/etc/audio-api/env');
    expect(unit).toContain('DynamicUser=yes');
    expect(unit).not.toMatch(/^Environment=.*KEY/m);
  });
});

describe('docs/recipes.md', () => {
  it('every recipe -> listed, and nothing else', () => {
    const listed = [
      ...readFileSync('docs/recipes.md', 'utf8').matchAll(
        /\(\.\.\/examples\/recipes\/([\w.-]+)\)/g,
      ),
    ];
    expect([...new Set(listed.map(([, name]) => name!))].toSorted()).toEqual(
      readdirSync('examples/recipes').toSorted(),
    );
  });

  it("a recipe's row -> names the packages to install, each that the recipe imports and no other", () => {
    const rows = readFileSync('docs/recipes.md', 'utf8').matchAll(
      /\/recipes\/([\w-]+\.ts)\) +\| ([^(|]*)(?:\(|\|)/g,
    );
    // What every reader has, and what every NestJS app has.
    const present = /^(?:\.|node:|@nestjs\/|express$|require-api-key(?:\/|$))/;
    for (const [, name, cell] of rows) {
      const recipe = readFileSync(`examples/recipes/${name}`, 'utf8');
      const imported = [...recipe.matchAll(/^(?:import|\}).* ?'([^']+)';$/gm)].map(
        ([, each]) => each!,
      );
      const named = [...cell!.matchAll(/`([^ `]+)`/g)].map(([, each]) => each!);
      const packageOf = (module: string) => /^(?:@[^/]+\/)?[^/]+/.exec(module)![0];
      const needed = new Set(imported.filter((each) => !present.test(each)).map(packageOf));
      // The session is mounted by the reader.
      if (recipe.includes('session({')) needed.add('express-session');
      expect(named.toSorted(), name).toEqual([...needed].toSorted());
    }
  });
});
