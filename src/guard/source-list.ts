import type { Request } from 'express';
import { channels, type RefusalReason } from '../keys/diagnostics.js';
import {
  byDigest,
  isDigestSource,
  unknownKey,
  type DigestSource,
  type KeySource,
  type KeySourceAnswer,
  type VerifyKey,
  type VerifyResult,
} from '../keys/key-source.js';
import { digestOf, type Digest } from '../keys/digest.js';
import { isThenable } from '../lib/values.js';
import { describe } from '../lib/options.js';
import { readAnswer } from './read-answer.js';

/** No source gave an answer that can be trusted; answered 503. */
export interface Fault {
  readonly ok: false;
  readonly code: 'key_source_failed' | 'api_key_not_configured';
  readonly reason: RefusalReason;
  readonly cause: unknown;
  readonly source?: string;
}

/** A refusal names the source that knew the key. */
export type Verdict = (VerifyResult & { readonly source?: string }) | Fault;

/** One look-up on its way through the sources. */
interface Search {
  readonly presentedKey: string;
  readonly req: Request;
  digest: Digest | undefined;
  fault: Fault | undefined;
  /** The source that has not answered yet. */
  waitingFor: string | undefined;
  isOver: boolean;
}

interface NamedSource {
  readonly name: string;
  readonly source: KeySource;
  /** The source again, where it is one of this library's, with the methods it must still have to be asked by digest. */
  readonly own:
    (Pick<KeySource, 'verify' | 'configured'> & { readonly source: DigestSource }) | undefined;
}

/** The sources of one guard, asked in order; the first that knows the key decides. */
export class SourceList {
  readonly #sources: readonly NamedSource[];
  readonly #timeoutMs: number;

  constructor(sources: readonly (KeySource | VerifyKey)[], timeoutMs: number) {
    this.#sources = sources.map(named);
    this.#timeoutMs = timeoutMs;
  }

  /** Asks for a well-formed key. Answers without a promise where every source asked does. Never throws or rejects. */
  ask(presentedKey: string, req: Request): Verdict | Promise<Verdict> {
    const search: Search = {
      presentedKey,
      req,
      digest: undefined,
      fault: undefined,
      waitingFor: undefined,
      isOver: false,
    };
    const verdict = this.#askFrom(0, search);
    return isVerdict(verdict) ? verdict : this.#withDeadline(verdict, search);
  }

  /** Why nobody can be admitted, if the configuration is at fault. Costs nothing on the way of an admitted request. */
  configurationFault(req: Request): Fault | undefined {
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
    const { presentedKey, req } = search;
    for (let index = start; index < this.#sources.length; index++) {
      const { name, source, own } = this.#sources[index]!;
      // Looked at each time: a stricter method that somebody puts on the source later counts as well.
      const isOwn =
        own !== undefined && source.verify === own.verify && source.configured === own.configured;
      const verdict = isOwn
        ? askOwn(own.source, (search.digest ??= digestOf(presentedKey)), presentedKey, req)
        : askCustom(source, name, presentedKey, req);
      if (!isVerdict(verdict)) {
        search.waitingFor = name;
        return verdict.then((late) => {
          if (isFinal(late) || search.isOver) return withSource(late, name);
          search.fault ??= faultOf(late);
          return this.#askFrom(index + 1, search);
        });
      }
      if (isFinal(verdict)) return withSource(verdict, name);
      search.fault ??= faultOf(verdict);
    }
    // A key that nobody knows while a source is out of order may be a good one: to call it invalid would be a lie.
    return search.fault ?? this.configurationFault(req) ?? unknownKey;
  }

  #withDeadline(verdict: Promise<Verdict>, search: Search): Promise<Verdict> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        search.isOver = true;
        const { req, waitingFor } = search;
        const limit = `the key sources did not answer within ${this.#timeoutMs} ms`;
        const cause = new Error(`${limit}; the guard was waiting for "${waitingFor}"`);
        resolve(failed('source_timed_out', cause, req, waitingFor));
      }, this.#timeoutMs);
      void verdict.then((inTime) => {
        clearTimeout(timer);
        resolve(inTime);
      });
    });
  }
}

function named(source: KeySource | VerifyKey): NamedSource {
  if (typeof source === 'function')
    return { name: 'custom', source: { verify: source }, own: undefined };
  // oxlint-disable-next-line typescript/unbound-method -- Compared, never called.
  const { verify, configured } = source;
  const own = isDigestSource(source)
    ? { source, verify, ...(configured && { configured }) }
    : undefined;
  return { name: source.name ?? 'custom', source, own };
}

/** Whether it has come without a promise. Told by what it has itself: a global `Promise` may be anybody's, and so may `then`. */
export const isVerdict = (answer: Verdict | Promise<Verdict>): answer is Verdict =>
  Object.hasOwn(answer, 'ok');

/** Whether the look-up failed, rather than decided. */
export const isFault = (verdict: Verdict): verdict is Fault =>
  !verdict.ok &&
  (verdict.code === 'key_source_failed' || verdict.code === 'api_key_not_configured');

const faultOf = (verdict: Verdict) => (isFault(verdict) ? verdict : undefined);

/** Whether no other source is to be asked. */
const isFinal = (verdict: Verdict) =>
  verdict.ok || (verdict.code !== 'invalid_api_key' && !isFault(verdict));

const withSource = (verdict: Verdict, source: string): Verdict =>
  verdict.ok ? verdict : { ...verdict, source };

/** @throws {TypeError} for any answer but a boolean: a promise would pass for "yes". */
function says(source: KeySource, what: 'configured' | 'misconfigured'): boolean | undefined {
  if (source[what] === undefined) return undefined;
  const answer: unknown = source[what]();
  if (typeof answer === 'boolean') return answer;
  // Nobody waits for it, so nobody else would take its rejection.
  if (isThenable(answer)) Promise.resolve(answer).catch(() => {});
  throw new TypeError(`"${what}" answered ${describe(answer)}`);
}

function askOwn(
  source: DigestSource,
  digest: Digest,
  presentedKey: string,
  req: Request,
): Verdict | Promise<Verdict> {
  try {
    const result: Verdict | Promise<Verdict> = source[byDigest](digest, presentedKey, req);
    return isVerdict(result)
      ? result
      : result.catch((cause: unknown) => failed('source_threw', cause, req, source.name));
  } catch (cause) {
    return failed('source_threw', cause, req, source.name);
  }
}

function askCustom(
  source: KeySource,
  name: string,
  presentedKey: string,
  req: Request,
): Verdict | Promise<Verdict> {
  const read = (answer: KeySourceAnswer): Verdict => {
    try {
      return readAnswer(answer, presentedKey, name);
    } catch (cause) {
      return failed('source_answered_nonsense', cause, req, name);
    }
  };
  try {
    // A source that says it holds no key cannot know one, whatever it would answer.
    if (says(source, 'configured') === false) return unknownKey;
    const answer = source.verify(presentedKey, req);
    if (!isThenable(answer)) return read(answer);
    // A promise of our own: theirs may have a `then` that does as it likes.
    return new Promise<KeySourceAnswer>((resolve) => resolve(answer)).then(read, (cause: unknown) =>
      failed('source_threw', cause, req, name),
    );
  } catch (cause) {
    return failed('source_threw', cause, req, name);
  }
}

function failed(reason: RefusalReason, cause: unknown, req: Request, source?: string): Fault {
  return report(
    { ok: false, code: 'key_source_failed', reason, cause, ...(source && { source }) },
    req,
  );
}

function notConfigured(reason: RefusalReason, message: string, req: Request): Fault {
  return report(
    { ok: false, code: 'api_key_not_configured', reason, cause: new Error(message) },
    req,
  );
}

function report(fault: Fault, request: Request): Fault {
  if (channels.fault.hasSubscribers) {
    const { code, reason, source } = fault;
    channels.fault.publish({ request, code, reason, ...(source && { source }) });
  }
  return fault;
}
