import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/main.js';
import { cli } from '../support/cli.js';

const program = createProgram();
const docs = readFileSync('docs/command-line.md', 'utf8');

/** The part of the docs under the heading of each command. */
const sections = new Map(
  docs
    .split(/^## /m)
    .slice(1)
    .map((section) => [/^`?([\w -]+)`?\n/.exec(section)?.[1] ?? '', section]),
);

const optionsOf = (command: Command) => command.options.filter(({ hidden }) => !hidden);
const longFlagsOf = (command: Command) => optionsOf(command).map(({ long }) => long!);
const flagsIn = (text: string) =>
  // `node --env-file` is an option of another program.
  [...text.matchAll(/(?<![\w-]|node )--[a-z][a-z0-9-]*/g)].map(([flag]) => flag);
const ownFlags = new Set([...longFlagsOf(program), '--help']);

/** What stands below the options: whole command lines. */
function examplesOf(command: Command): string[] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return [...text.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line]) => line!);
}

describe('the help', () => {
  it('the commands -> those of the docs, in the same order, and `--help` of the built program lists them', async () => {
    const names = program.commands.map((command) => command.name());
    const listed = [...docs.matchAll(/^\| \[`(\w+)`\]\(#\w+\)/gm)].map(([, name]) => name);
    expect(listed).toEqual(names);
    expect([...sections.keys()].filter((title) => names.includes(title))).toEqual(names);
    const { stdout } = await cli(['--help']);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it.each(program.commands.map((command) => [command.name(), command] as const))(
    '%s -> an example that fits its options, and its section of the docs has the same options and examples',
    (name, command) => {
      const known = new Set([...longFlagsOf(command), ...ownFlags]);
      const section = sections.get(name)!;
      const examples = examplesOf(command);
      expect(examples.length).toBeGreaterThan(0);
      for (const line of examples) {
        expect(line).toMatch(new RegExp(`^npx require-api-key ${name}( |$)`));
        expect(section).toContain(line);
      }
      for (const flag of [...examples, section].flatMap(flagsIn))
        expect(known, flag).toContain(flag);
      for (const { flags } of optionsOf(command).filter(({ long }) => !isShared(long!))) {
        expect(section, flags).toContain(`| \`${flags}\``);
      }
      const usage = `npx require-api-key ${name} ${command.usage()}`
        .replace('[options]', '')
        .replaceAll(/ +/g, ' ')
        .trim();
      expect(section).toContain(`\`\`\`\n${usage}`);
    },
  );

  it('options that all commands of the database share -> in the docs once', () => {
    for (const flags of [
      '--database <url>',
      '--schema <name>',
      '--table <name>',
      '--json',
      '--debug',
    ]) {
      expect(docs).toContain(`| \`${flags}\``);
    }
  });
});

function isShared(flag: string): boolean {
  return ['--database', '--schema', '--table'].includes(flag);
}
