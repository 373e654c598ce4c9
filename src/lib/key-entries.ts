import { isReference, isUnresolved, type KeyEntry } from './key-table.js';

/** The keys of a variable that holds one, or `new,old`; unresolved references left out. */
export function parseKeys(value: string, user: string): KeyEntry[] {
  return splitList(value)
    .filter(({ text }) => !isUnresolved(text))
    .map(({ text, place }) => ({ user, key: text, place }));
}

/** The `user:key` pairs of a variable. */
export function parseKeyPairs(value: string): KeyEntry[] {
  // A reference that stands for the whole list counts as an unset variable.
  if (isReference(value.trim())) return [];
  return splitList(value).map(({ text, place }) => {
    const { user, key } = splitPair(text);
    return { user, key, place };
  });
}

/** Splits `user:key` at the first colon. */
export function splitPair(text: string): { user: string; key: string } {
  // The colon of `$env://X` does not make it a pair.
  const colon = isReference(text) ? -1 : text.indexOf(':');
  return { user: text.slice(0, Math.max(colon, 0)).trim(), key: text.slice(colon + 1).trim() };
}

/** The entries of a list, blanks around them and blank ones left out, with their places as people count. */
function splitList(value: string): { text: string; place: string }[] {
  return value
    .split(/[,\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text, index) => ({ text, place: `entry ${index + 1}` }));
}
