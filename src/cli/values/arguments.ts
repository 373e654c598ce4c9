import { InvalidArgumentError } from 'commander';
import { mustBePrefix } from '../../key-format.js';
import type { Check } from '../../lib/options.js';

/** Reads an argument that has to pass a check of the library. */
export const checked =
  (check: Check) =>
  (text: string): string => {
    const expected = check(text);
    if (expected !== undefined) throw new InvalidArgumentError(`It must be ${expected}.`);
    return text;
  };

export const prefixArgument = checked(mustBePrefix);

export const integerArgument =
  (from: number, to: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= from && value <= to))
      throw new InvalidArgumentError(`Write a number from ${from} to ${to}.`);
    return value;
  };

/** Gathers an option that may be given several times. */
export const repeated = (text: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  text,
];

export function jsonObjectArgument(text: string): Record<string, unknown> {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`Write a JSON object such as '{"plan":"free"}'.`);
  }
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
