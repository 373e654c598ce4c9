import { parseEnv } from 'node:util';
import { parse } from 'dotenv';

export type Values = ReadonlyMap<string, string>;

/**
 * The variables as `node --env-file` of this Node and as `dotenv` read them. An application may
 * use either.
 */
export function readBoth(text: string): readonly [node: Values, dotenv: Values] {
  return [
    new Map(Object.entries(parseEnv(text) as Record<string, string>)),
    new Map(Object.entries(parse(text))),
  ];
}

/** The names on which the two differ. */
export function differingNames(text: string): string[] {
  const [node, dotenv] = readBoth(text);
  const names = new Set([...node.keys(), ...dotenv.keys()]);
  return [...names].filter((name) => node.get(name) !== dotenv.get(name));
}
