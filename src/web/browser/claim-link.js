// What is left of a claim link after mail programs, chats and trackers had it. It needs no browser.

const tokenLength = 43;

/**
 * What is not seen and separates no words: control and format characters, soft hyphens, joiners.
 */
const invisible = /[\p{Cc}\p{Cf}\p{DI}]/gu;

/**
 * What a program that wraps long lines leaves inside a token; `=` is the mark of
 * quoted-printable.
 */
const lineBreak = /^=?\s*$/;

/**
 * Finds the token in the address of the page.
 *
 * @returns `token` if it is whole; else `found`, how many of its characters are there, if any of
 *   a link is there
 */
export function readClaimLink({ hash, search = '', pathname = '', href = '' }) {
  if (hash !== '') return readToken(decode(hash.slice(1)));
  const sent = decode(pathname + search);
  const encoded = sent.indexOf('#');
  if (encoded !== -1) return readToken(sent.slice(encoded));
  // A `?` in place of the `#`. Shorter texts and such with a name are the parameters of somebody
  // else.
  const query = decode(search.slice(1));
  if (/^[\w-]{20,}(?![\w-]*=)/.test(query)) return readToken(query);
  return href.endsWith('#') ? { found: 0 } : {};
}

function readToken(text) {
  // Odd places are what stands between two runs of characters of a token.
  const parts = text
    .replace(/[\n\r\t]+/g, ' ')
    .replace(invisible, '')
    .replace(/[\u2010\u2011\u2212]/g, '-')
    .split(/([^\w-]+)/);
  if (parts[0] === '') parts.splice(0, 2);
  const [first = '', ...rest] = parts;
  if (first.length >= tokenLength) return { token: first.slice(0, tokenLength) };
  let joined = first;
  for (let i = 0; i + 1 < rest.length && lineBreak.test(rest[i]); i += 2) {
    joined += rest[i + 1];
    // Only what fits exactly: words that follow a link that was cut short are no part of it.
    if (joined.length === tokenLength) return { token: joined, isJoined: true };
  }
  return { found: first.length };
}

/** Undoes percent-encoding, even if it was done twice. Other text stays. */
function decode(text) {
  let decoded = text;
  for (let turn = 0; turn < 3; turn++) decoded = decodeOnce(decoded);
  return decoded;
}

function decodeOnce(text) {
  return text.replace(/(%[\da-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}
