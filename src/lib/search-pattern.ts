/**
 * A regular expression that finds a search text literally, in any case. JavaScript (with the `u`
 * flag) and PostgreSQL read it alike. `lower()` would not do: under the "C" collation it only
 * knows ASCII letters.
 *
 * @param lastVariant only characters up to this one are tried as the other case of a letter
 */
export function searchPattern(search: string, lastVariant = '\u{10ffff}'): string {
  return Array.from(search, (character) => {
    const variants = [character.toLowerCase(), character.toUpperCase()].filter(
      // `ß` in upper case is two letters, which a class of characters cannot hold.
      (each) =>
        Array.from(each).length === 1 && each.codePointAt(0)! <= lastVariant.codePointAt(0)!,
    );
    const single = [...new Set([character, ...variants])].map(escapeCharacter);
    return single.length === 1 ? single[0] : `[${single.join('')}]`;
  }).join('');
}

/** Escapes every ASCII character that could have a meaning of its own in a pattern. */
function escapeCharacter(character: string): string {
  if (character > '\x7f' || /^[0-9A-Za-z]$/.test(character)) return character;
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
