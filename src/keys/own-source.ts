import type { Request } from 'express';
import type { KeySource, VerifyResult } from './key-source.js';
import { digestOf, type Digest } from './digest.js';

/**
 * Marks the library's own sources. A guard hands them the digest as a third argument of `verify`, so
 * that one request costs one digest however many of them there are.
 *
 * A guard always calls `verify` and `configured`: a stricter method that somebody puts on a source,
 * in a subclass or on the object itself, counts.
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

/** Makes `super()` put the private fields of a subclass on an object that exists already. */
// oxlint-disable-next-line typescript/no-extraneous-class -- Only a base class can do this.
class Existing {
  constructor(object: object) {
    // oxlint-disable-next-line no-constructor-return -- Its whole purpose.
    return object;
  }
}

/** A private field marks our answers: no copy of one has it, and nobody else can set it. */
class OwnAnswer extends Existing {
  // oxlint-disable-next-line no-unused-private-class-members -- The mark; `in` looks for it.
  readonly #isOwn = true;

  static has(answer: object): boolean {
    return #isOwn in answer;
  }
}

/** Freezes and marks a result of the library's own, which a guard need not read and check. */
export function ownAnswer<Result extends VerifyResult>(result: Result): Readonly<Result> {
  return Object.freeze(new OwnAnswer(result) as unknown as Result);
}

export const isOwnAnswer = (answer: unknown): answer is VerifyResult =>
  typeof answer === 'object' && answer !== null && OwnAnswer.has(answer);

/** The one answer for a key that is not known. */
export const unknownKey: VerifyResult = ownAnswer({ ok: false, code: 'invalid_api_key' });
