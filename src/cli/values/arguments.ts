import { InvalidArgumentError } from 'commander';
import { mustBePrefix } from '../../keys/key-format.js';
import { mustBeScope, type Check } from '../../lib/options.js';
import { mustBeAddresses } from '../../manager/checks.js';
import { parseJson } from './parse-json.js';

/** Reads an argument that has to pass a check of the library. */
export const argumentOf =
  (check: Check) =>
  (text: string): string => {
    const expected = check(text);
    if (expected !== undefined) throw new InvalidArgumentError(`It must be ${expected}.`);
    return text;
  };

export const prefixArgument = argumentOf(mustBePrefix);

/** Collects an option that may be given several times. */
export const collect =
  (read: (text: string) => string) =>
  (text: string, before: readonly string[] | undefined): string[] => [
    ...(before ?? []),
    read(text),
  ];

const readScope = argumentOf(mustBeScope);

export const scopesArgument = collect((text) => {
  // A scope may hold a comma, but hardly anyone means one. The key would then fit no route.
  if (/[,\s]/.test(text)) {
    throw new InvalidArgumentError(
      'A scope has no blanks and no commas: repeat --scope for each, --scope read --scope write.',
    );
  }
  return readScope(text);
});

/** Checks each address by itself, so that the message is about the wrong one. */
export const addressesArgument = collect((text) => {
  if (mustBeAddresses([text]) === undefined) return text;
  throw new InvalidArgumentError(
    'Write an IP address or a block such as 203.0.113.0/24, with no bits set behind its prefix.',
  );
});

export const integerArgument =
  (from: number, to: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= from && value <= to))
      throw new InvalidArgumentError(`Write a number from ${from} to ${to}.`);
    return value;
  };

export function jsonObjectArgument(text: string): Record<string, unknown> {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`Write a JSON object such as '{"plan":"free"}'.`);
  }
  return value as Record<string, unknown>;
}
