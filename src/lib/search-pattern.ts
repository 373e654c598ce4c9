/**
 * A search text as a regular expression that finds it literally, whatever the case of its letters. JavaScript (with the `u` flag)
 * and PostgreSQL read it alike; `lower()` would not do, it knows no letters beyond ASCII under the "C" collation.
 */
export function searchPattern(search: string): string {
  return Array.from(search, (character) => {
    const cases = [...new Set([character, character.toLowerCase(), character.toUpperCase()])];
    // `ß` in upper case is two letters, which a class of characters cannot hold.
    const single = cases.filter((each) => Array.from(each).length === 1).map(escapeCharacter);
    return single.length === 1 ? single[0] : `[${single.join('')}]`;
  }).join('');
}

/** Everything in ASCII that could mean something in a pattern, as the escape that means the character itself. */
function escapeCharacter(character: string): string {
  if (character > '\x7f' || /^[0-9A-Za-z]$/.test(character)) return character;
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
