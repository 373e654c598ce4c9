/** One key of one user as it was written down: plain, or as `sha256:<64 hex>`. */
export interface KeyEntry {
  readonly user: string;
  readonly key: string;
  /** The place of the entry, for messages: `entry 2`. */
  readonly place: string;
}

/** The keys of a variable that holds one, or `new,old`. Unresolved references are left out. */
export function parseKeys(value: string, user: string): KeyEntry[] {
  return splitList(value)
    .filter(({ text }) => !isUnresolved(text))
    .map(({ text, place }) => ({ user, key: text, place }));
}

/** The `user:key` pairs of a variable. */
export function parseKeyPairs(value: string): KeyEntry[] {
  // A reference in place of the whole list counts as an unset variable.
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

/** Whether a tool left a reference unresolved: `${X}`, `$env://X`. It is not a key. */
export function isUnresolved(text: string): boolean {
  const start = text.indexOf('${');
  return text.startsWith('$env://') || (start >= 0 && text.indexOf('}', start) > 0);
}

/** Whether the text is only one such reference. */
export function isReference(text: string): boolean {
  return /^(\$\{[^}]*\}|\$env:\/\/[^\s,]*)$/.test(text);
}

/**
 * The entries of a list with their places, counted from 1. Blanks around entries and blank
 * entries are left out.
 */
function splitList(value: string): { text: string; place: string }[] {
  return value
    .split(/[,\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text, index) => ({ text, place: `entry ${index + 1}` }));
}
