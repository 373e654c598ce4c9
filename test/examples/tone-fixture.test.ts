import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeTone, tonePath } from '../fixtures/make-tone.js';

it('the tone is made anew -> the file in the repository, byte for byte', () => {
  expect(readFileSync(tonePath).equals(makeTone())).toBe(true);
  expect(makeTone().length).toBeLessThan(100_000);
});
