import type { Request } from 'express';
import { channels } from '../keys/diagnostics.js';
import type { KeySource, KeySourceAnswer, VerifyKey, VerifyResult } from '../keys/key-source.js';
import {
  isOwnAnswer,
  isOwnSource,
  SharedDigest,
  unknownKey,
  type OwnSource,
} from '../keys/own-source.js';
import type { Refusal, RefusalReason } from '../keys/refusal.js';
import { isThenable } from '../lib/values.js';
import { describe } from '../lib/options.js';
import { readAnswer } from './read-answer.js';

/** The verdict on a presented key. A refusal names the source that knew the key or failed. */
export type Verdict = Extract<VerifyResult, { readonly ok: true }> | Refusal;

/** One look-up across the sources. */
interface Search {
  readonly presentedKey: string;
  readonly req: Request;
  readonly digest: SharedDigest;
  fault: Refusal | undefined;
  /** The source that has not answered yet. */
  waitingFor: string | undefined;
  isOver: boolean;
}

interface NamedSource {
  readonly name: string;
  readonly source: KeySource;
  /** Whether it is one of the library's own, which also take the digest. */
  readonly isOwn: boolean;
}

/** The sources of one guard, asked in order. The first that knows the key decides. */
export class SourceList {
  readonly #sources: readonly NamedSource[];
  readonly #timeoutMs: number;

  constructor(sources: readonly (KeySource | VerifyKey)[], timeoutMs: number) {
    this.#sources = sources.map(named);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Asks the sources for a well-formed key. Returns a promise only if one of them does. Never
   * throws or rejects.
   */
  ask(presentedKey: string, req: Request): Verdict | Promise<Verdict> {
    const search: Search = {
      presentedKey,
      req,
      digest: new SharedDigest(presentedKey),
      fault: undefined,
      waitingFor: undefined,
      isOver: false,
    };
    const verdict = this.#askFrom(0, search);
    if (isVerdict(verdict)) return verdict;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        search.isOver = true;
        const { waitingFor } = search;
        const cause = new Error(
          `the key sources did not answer within ${this.#timeoutMs} ms; waiting for "${waitingFor}"`,
        );
        resolve(failed('source_timed_out', cause, req, waitingFor));
      }, this.#timeoutMs);
      void verdict.then((inTime) => {
        clearTimeout(timer);
        resolve(inTime);
      });
    });
  }

  /**
   * Why nobody can be admitted, if the configuration is broken. Not evaluated for an admitted
   * request.
   */
  configurationFault(req: Request): Refusal | undefined {
    let configured = false;
    for (const { name, source } of this.#sources) {
      try {
        if (says(source, 'misconfigured') === true) {
          return notConfigured(
            'broken_configuration',
            `the key source "${name}" is misconfigured`,
            req,
          );
        }
        configured = says(source, 'configured') !== false || configured;
      } catch (cause) {
        return failed('source_threw', cause, req, name);
      }
    }
    if (configured) return undefined;
    const names = this.#sources.map(({ name }) => name).join(', ');
    return notConfigured('nothing_configured', `no key source holds a key: ${names}`, req);
  }

  #askFrom(start: number, search: Search): Verdict | Promise<Verdict> {
    for (let index = start; index < this.#sources.length; index++) {
      const asked = this.#sources[index]!;
      const verdict = ask(asked, search);
      if (!isVerdict(verdict)) {
        search.waitingFor = asked.name;
        return verdict.then((late) => {
          if (late.ok || search.isOver) return late;
          if (late.code === 'key_source_failed') search.fault ??= late;
          else if (late.code !== 'invalid_api_key') return late;
          return this.#askFrom(index + 1, search);
        });
      }
      if (verdict.ok) return verdict;
      if (verdict.code === 'key_source_failed') search.fault ??= verdict;
      else if (verdict.code !== 'invalid_api_key') return verdict;
    }
    // While a source is out of order, an unknown key may be valid. Calling it invalid would be
    // wrong.
    return search.fault ?? this.configurationFault(search.req) ?? unknownKey;
  }
}

function named(source: KeySource | VerifyKey): NamedSource {
  if (typeof source === 'function')
    return { name: 'custom', source: { verify: source }, isOwn: false };
  return { name: source.name ?? 'custom', source, isOwn: isOwnSource(source) };
}

/**
 * Whether the answer is not a promise. Checked by its own properties, because `Promise` and
 * `then` may be replaced globally.
 */
export const isVerdict = (answer: Verdict | Promise<Verdict>): answer is Verdict =>
  isOwnAnswer(answer) || Object.hasOwn(answer, 'ok');

/** @throws {TypeError} for any answer but a boolean: a promise would count as "yes". */
function says(source: KeySource, what: 'configured' | 'misconfigured'): boolean | undefined {
  if (source[what] === undefined) return undefined;
  const answer: unknown = source[what]();
  if (typeof answer === 'boolean') return answer;
  // Nobody waits for it, so nobody else would handle its rejection.
  if (isThenable(answer)) Promise.resolve(answer).catch(() => {});
  throw new TypeError(`"${what}" answered ${describe(answer)}`);
}

/** Asks one source. Never throws or rejects. */
function ask({ name, source, isOwn }: NamedSource, search: Search): Verdict | Promise<Verdict> {
  const { presentedKey, req, digest } = search;
  try {
    // A source without keys cannot know one.
    if (says(source, 'configured') === false) return unknownKey;
    const answer = isOwn
      ? (source as OwnSource).verify(presentedKey, req, digest)
      : source.verify(presentedKey, req);
    if (isOwnAnswer(answer)) return withSource(answer, name);
    if (!isThenable(answer)) return read(answer, name, search);
    // Wrapped in a new promise: a source's own promise may have an arbitrary `then`.
    return new Promise<KeySourceAnswer>((resolve) => resolve(answer)).then(
      (late) => (isOwnAnswer(late) ? withSource(late, name) : read(late, name, search)),
      (cause: unknown) => failed('source_threw', cause, req, name),
    );
  } catch (cause) {
    return failed('source_threw', cause, req, name);
  }
}

function read(answer: KeySourceAnswer, name: string, { presentedKey, req }: Search): Verdict {
  try {
    return withSource(readAnswer(answer, presentedKey, name), name);
  } catch (cause) {
    return failed('source_answered_nonsense', cause, req, name);
  }
}

const withSource = (result: VerifyResult, source: string): Verdict =>
  result.ok || result === unknownKey ? result : { ...result, source };

/** A fault of a source, which the channel reports. */
export const failed = (
  reason: RefusalReason,
  cause: unknown,
  req: Request,
  source: string | undefined,
): Refusal => report({ ok: false, code: 'key_source_failed', reason, cause, source }, req);

const notConfigured = (reason: RefusalReason, message: string, req: Request): Refusal =>
  report({ ok: false, code: 'api_key_not_configured', reason, cause: new Error(message) }, req);

function report(fault: Refusal, request: Request): Refusal {
  if (channels.fault.hasSubscribers) {
    const { code, reason, source } = fault;
    channels.fault.publish({ request, code, reason, ...(source && { source }) });
  }
  return fault;
}
