/** One key of one user, as somebody wrote it down: plain, or as `sha256:<64 hex>`. */
export interface KeyEntry {
  readonly user: string;
  readonly key: string;
  /** Where it stands, for messages: `entry 2`. */
  readonly place: string;
}

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

/**
 * Whether a reference was left unresolved by the tool that was to fill it in: `${X}`, `$env://X`.
 * It is no key.
 */
export function isUnresolved(text: string): boolean {
  const start = text.indexOf('${');
  return text.startsWith('$env://') || (start >= 0 && text.indexOf('}', start) > 0);
}

/** Whether the text is nothing but one such reference. */
export function isReference(text: string): boolean {
  return /^(\$\{[^}]*\}|\$env:\/\/[^\s,]*)$/.test(text);
}

/**
 * The entries of a list, blanks around them and blank ones left out, with their places as people
 * count.
 */
function splitList(value: string): { text: string; place: string }[] {
  return value
    .split(/[,\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text, index) => ({ text, place: `entry ${index + 1}` }));
}
