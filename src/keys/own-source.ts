import type { Request } from 'express';
import type { KeySource, VerifyResult } from './key-source.js';
import { digestOf, type Digest } from './digest.js';

/**
 * Marks the library's own sources. A guard passes them the digest as a third argument of
 * `verify`, so one request costs one digest, however many sources there are.
 *
 * A guard always calls `verify` and `configured`. So a stricter method in a subclass or on the
 * object itself takes effect.
 */
export const sharesDigest = Symbol('require-api-key.sharesDigest');

/** A source of this library. */
export interface OwnSource extends KeySource {
  readonly [sharesDigest]: true;
  verify(
    presentedKey: string,
    req?: Request,
    shared?: SharedDigest,
  ): ReturnType<KeySource['verify']>;
}

export const isOwnSource = (source: KeySource): source is OwnSource => sharesDigest in source;

/** The digest of one presented key, computed once, and only if a source asks for it. */
export class SharedDigest {
  readonly #presentedKey: string;
  #digest: Digest | undefined;

  constructor(presentedKey: string) {
    this.#presentedKey = presentedKey;
  }

  /** The digest of a key: the shared one, unless a method in between has changed the key. */
  static of(presentedKey: string, shared: SharedDigest | undefined): Digest {
    return shared instanceof SharedDigest && shared.#presentedKey === presentedKey
      ? (shared.#digest ??= digestOf(presentedKey))
      : digestOf(presentedKey);
  }
}

/** A class whose `new` gives back the object that it was given. */
const Given = function (answer: object) {
  return answer;
} as unknown as new (answer: object) => object;

/**
 * Marks an answer of the library with a private field, which no copy has. Every request asks for
 * the mark, and a private field is found four times as fast as an entry of a `WeakSet`.
 */
class OwnAnswer extends Given {
  readonly #isOwn = true;

  static is(answer: unknown): answer is VerifyResult {
    return typeof answer === 'object' && answer !== null && #isOwn in answer && answer.#isOwn;
  }
}

/** Freezes and marks a new result of the library. A guard need not check it. */
export function ownAnswer<Result extends VerifyResult>(result: Result): Readonly<Result> {
  const marked: object = new OwnAnswer(result);
  return Object.freeze(marked as Result);
}

export const isOwnAnswer = (answer: unknown): answer is VerifyResult => OwnAnswer.is(answer);

/** The one answer for a key that is not known. */
export const unknownKey: VerifyResult = ownAnswer({ ok: false, code: 'invalid_api_key' });
