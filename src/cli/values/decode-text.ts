import { isUtf8 } from 'node:buffer';
import { Failure } from '../failure.js';

const advice = 'save it as UTF-8';

/**
 * The text of a file that somebody else wrote, without a byte order mark.
 *
 * @throws {Failure} if it is not UTF-8: bytes that were replaced would change users and keys
 *   unseen.
 */
export function decodeText(bytes: Buffer, name: string): string {
  if (/^(fffe|feff|0000feff)/.test(bytes.toString('hex', 0, 4))) {
    throw new Failure(
      `${name} is UTF-16 text, as PowerShell and spreadsheets write it: ${advice}, for example ` +
        'with iconv -f UTF-16 -t UTF-8',
    );
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    const line = linesOf(bytes.toString('latin1', 0, nul)).length;
    throw new Failure(
      `line ${line} of ${name} has a NUL byte, as in UTF-16 text and in files that are no ` +
        `text: ${advice}`,
    );
  }
  if (!isUtf8(bytes)) {
    // No line end is a part of another character, so each line can be judged alone.
    const lines = linesOf(bytes.toString('latin1'));
    const bad = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
    throw new Failure(
      `line ${bad + 1} of ${name} is not UTF-8 text: ${advice}; if it is Windows-1252, iconv ` +
        '-f WINDOWS-1252 -t UTF-8 does it',
    );
  }
  return new TextDecoder().decode(bytes);
}

/** The lines of a text, with any line ends. */
export const linesOf = (text: string): string[] => text.split(/\r\n|\n|\r/);
