import { existsSync, readFileSync, statSync } from 'node:fs';
import { parse } from 'dotenv';
import { decodeEnv, type DecodedEnv } from '../env-file/decode.js';
import { parseDigest } from '../../keys/digest.js';
import { envFile } from '../environment.js';
import type { Finding } from '../finding.js';
import { askGit } from './git.js';
import { entriesOf, isFilled, type Environment, type KeyVariable } from './variables.js';

export interface EnvFile extends DecodedEnv {
  /** As `dotenv` reads it. */
  readonly values: Readonly<Record<string, string>>;
}

/** The `.env` of this folder, or `undefined` if there is no readable one. */
export function readEnvFile(): EnvFile | undefined {
  try {
    const decoded = decodeEnv(readFileSync(envFile), envFile);
    return { ...decoded, values: parse(decoded.text) };
  } catch {
    return undefined;
  }
}

/** About the file itself: who can read it, and whether it may end up in the repository. */
export async function examineEnvFile(
  file: EnvFile | undefined,
  variables: readonly KeyVariable[],
): Promise<Finding[]> {
  if (!file) {
    const unreadable: Finding = {
      severity: 'error',
      code: 'unreadable_env_file',
      message: '.env exists but cannot be read.',
      remedy: 'chmod 600 .env, as the user who owns the file',
    };
    return existsSync(envFile) ? [unreadable] : [];
  }
  if (!holdsSecret(file, variables)) return [];
  const findings: Finding[] = [];
  // Windows has no such bits.
  if (process.platform !== 'win32' && (statSync(envFile).mode & 0o077) !== 0) {
    findings.push({
      severity: 'warning',
      code: 'open_env_file',
      message: '.env holds secrets, and other users of this machine can read it.',
      remedy: 'chmod 600 .env',
    });
  }
  const git = await askGit(envFile);
  if (git === 'tracked') {
    findings.push({
      severity: 'error',
      code: 'tracked_env_file',
      message: '.env holds secrets, and git tracks it.',
      remedy:
        'git rm --cached .env, add it to .gitignore, and replace every key in it: the history ' +
        'keeps them',
    });
  } else if (git === 'exposed') {
    findings.push({
      severity: 'warning',
      code: 'unignored_env_file',
      message: '.env holds secrets, and git does not ignore it: the next "git add ." would add it.',
      remedy: 'echo .env >> .gitignore',
    });
  }
  return findings;
}

/** A file with only digests is harmless. */
function holdsSecret({ values }: EnvFile, variables: readonly KeyVariable[]): boolean {
  if (/:\/\/[^\s:/@]*:[^\s@]+@/.test(values['DATABASE_URL'] ?? '')) return true;
  return variables.some((variable) => {
    const value = values[variable.name];
    return isFilled(value) && entriesOf(variable, value).some(({ key }) => !parseDigest(key));
  });
}

const assignment = /^[ \t]*(?:export[ \t]+)?([\w.-]+)([ \t]*)=(.*?)\r?$/;

/** A variable whose line begins inside the line of another. */
interface Joined {
  readonly name: string;
  /** The variable whose value holds it. */
  readonly inside: string;
  readonly line: number;
}

/** Variables added after a last line without a line break. Nothing reads them. */
export function findJoined({ text }: EnvFile, names: readonly string[]): Joined[] {
  return text.split('\n').flatMap((line, index) => {
    const [, inside, , value] = assignment.exec(line) ?? [];
    if (inside === undefined || value === undefined) return [];
    const bare = withoutQuotesAndComment(value.trim());
    // After `?` and `&` it is a part of an address, and after `_` the end of a longer name.
    return names
      .filter((name) => new RegExp(String.raw`(?<![?&_]|^)${name}=`).test(bare))
      .map((name) => ({ name, inside, line: index + 1 }));
  });
}

const withoutQuotesAndComment = (value: string) =>
  value.replace(/^(["'`]).*?\1/, '$1').replace(/(^|\s)#.*$/, '');

export const describeJoined = ({ name, inside, line }: Joined): Finding => ({
  severity: 'error',
  code: 'joined_lines',
  message:
    `line ${line} of .env holds ${name}= inside the value of ${inside}: ` +
    'a line break is missing.',
  remedy: `put ${name}= on a line of its own`,
});

/** Lines that tools read differently, and lines that dotenv drops silently. */
export function examineLines(
  { text, values }: EnvFile,
  names: readonly string[],
  outside: Environment,
): Finding[] {
  const findings: Finding[] = [];
  const lines = new Map<string, number[]>();
  for (const [index, line] of text.split('\n').entries()) {
    const [, name = '', beforeSign, padded = ''] = assignment.exec(line) ?? [];
    if (!names.includes(name)) continue;
    const place = `line ${index + 1} of .env`;
    lines.set(name, [...(lines.get(name) ?? []), index + 1]);
    const value = padded.trim();
    if (value !== '' && (beforeSign || value !== padded)) {
      findings.push({
        severity: 'warning',
        code: 'padded_variable',
        message:
          `${name} has blanks around its value on ${place}: dotenv ignores them, docker and ` +
          'shells do not.',
        remedy: `write ${name}=<value>`,
      });
    }
    const [, quote] = /^(["'`])(?!.*\1)/.exec(value) ?? [];
    if (quote !== undefined && values[name]?.startsWith(quote)) {
      findings.push({
        severity: 'error',
        code: 'quoted_variable',
        message:
          `${name} begins with a quote that is not closed on ${place}, so the quote is part of ` +
          'its value.',
        remedy: 'remove the quote, or close it',
      });
    }
    if (/^[^"'`#\s][^\s]*#/.test(value)) {
      findings.push({
        severity: 'error',
        code: 'truncated_variable',
        message: `${name} is cut off at a # on ${place}: it begins a comment.`,
        remedy: 'put the value in quotes',
      });
    }
  }
  for (const [name, numbers] of lines) {
    if (numbers.length > 1) {
      findings.push({
        severity: 'warning',
        code: 'repeated_variable',
        message:
          `${name} is set on lines ${numbers.join(' and ')} of .env: ` +
          'only the last one counts.',
        remedy: 'keep one of these lines',
      });
    }
    if (outside[name] !== undefined && outside[name] !== values[name]) {
      findings.push({
        severity: 'warning',
        code: 'overridden_variable',
        message:
          `${name} has one value in the environment and another in .env: only the one in the ` +
          'environment counts.',
        remedy: `unset ${name}, or remove it from .env`,
      });
    }
  }
  return findings;
}
