import type { Request } from 'express';
import { channels, type RefusalReason } from '../diagnostics.js';
import { byDigest, unknownKey } from '../key-source.js';
import type { DigestSource, KeySource, KeySourceAnswer, VerifyKey, VerifyResult } from '../key-source.js';
import { sha256Hex } from '../lib/digest.js';
import { readAnswer } from './read-answer.js';

/** A verdict without an admission for want of a trustworthy answer. */
export interface Fault {
  readonly ok: false;
  readonly code: 'key_source_failed' | 'api_key_not_configured';
  readonly reason: RefusalReason;
  readonly cause: unknown;
  readonly source?: string;
}

export type Verdict = VerifyResult | Fault;

interface NamedSource {
  readonly name: string;
  readonly source: KeySource;
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
    const verdict = this.#askFrom(0, presentedKey, undefined, req, undefined);
    return verdict instanceof Promise ? this.#withDeadline(verdict, req) : verdict;
  }

  /** Why nobody can be admitted, if the configuration is at fault. Costs nothing on the way of an admitted request. */
  configurationFault(req: Request): Fault | undefined {
    let configured = false;
    for (const { name, source } of this.#sources) {
      try {
        if (source.misconfigured?.() === true) {
          return notConfigured('broken_configuration', `the key source "${name}" is misconfigured`, req);
        }
        configured = source.configured === undefined || source.configured() === true || configured;
      } catch (cause) {
        return failed('source_threw', cause, req, name);
      }
    }
    return configured ? undefined : notConfigured('nothing_configured', this.#noKey(), req);
  }

  #noKey(): string {
    return `no key source holds a key: ${this.#sources.map(({ name }) => name).join(', ')}`;
  }

  #askFrom(
    start: number,
    presentedKey: string,
    knownDigest: string | undefined,
    req: Request,
    earlierFault: Fault | undefined,
  ): Verdict | Promise<Verdict> {
    let digest = knownDigest;
    let fault = earlierFault;
    for (let index = start; index < this.#sources.length; index++) {
      const { name, source } = this.#sources[index]!;
      let verdict: Verdict | Promise<Verdict>;
      if (isDigestSource(source)) {
        digest ??= sha256Hex(presentedKey);
        verdict = askOwn(source, digest, presentedKey, req);
      } else {
        verdict = askForeign(source, name, presentedKey, req);
      }
      if (verdict instanceof Promise) {
        return verdict.then((late) =>
          isFinal(late) ? late : this.#askFrom(index + 1, presentedKey, digest, req, fault ?? faultOf(late)),
        );
      }
      if (isFinal(verdict)) return verdict;
      fault ??= faultOf(verdict);
    }
    // A key that nobody knows while a source is out of order may be a good one: to call it invalid would be a lie.
    return fault ?? this.configurationFault(req) ?? unknownKey;
  }

  #withDeadline(verdict: Promise<Verdict>, req: Request): Promise<Verdict> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const cause = new Error(`the key sources did not answer within ${this.#timeoutMs} ms`);
        resolve(failed('source_timed_out', cause, req));
      }, this.#timeoutMs);
      void verdict.then((inTime) => {
        clearTimeout(timer);
        resolve(inTime);
      });
    });
  }
}

function named(source: KeySource | VerifyKey): NamedSource {
  if (typeof source === 'function') return { name: 'custom', source: { verify: source } };
  return { name: source.name ?? 'custom', source };
}

const isDigestSource = (source: KeySource): source is DigestSource => byDigest in source;

const faultOf = (verdict: Verdict) => ('reason' in verdict ? verdict : undefined);

/** Whether no other source is to be asked. */
const isFinal = (verdict: Verdict) =>
  verdict.ok || verdict.code === 'expired_api_key' || verdict.code === 'revoked_api_key';

function askOwn(
  source: DigestSource,
  digest: string,
  presentedKey: string,
  req: Request,
): Verdict | Promise<Verdict> {
  try {
    const result = source[byDigest](digest, presentedKey, req);
    return result instanceof Promise
      ? result.catch((cause: unknown) => failed('source_threw', cause, req, source.name))
      : result;
  } catch (cause) {
    return failed('source_threw', cause, req, source.name);
  }
}

function askForeign(
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
    if (source.configured?.() === false) return unknownKey;
    const answer = source.verify(presentedKey, req);
    if (!isThenable(answer)) return read(answer);
    return Promise.resolve(answer).then(read, (cause: unknown) => failed('source_threw', cause, req, name));
  } catch (cause) {
    return failed('source_threw', cause, req, name);
  }
}

const isThenable = (value: unknown): value is PromiseLike<KeySourceAnswer> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

function failed(reason: RefusalReason, cause: unknown, req: Request, source?: string): Fault {
  return report({ ok: false, code: 'key_source_failed', reason, cause, ...(source && { source }) }, req);
}

function notConfigured(reason: RefusalReason, message: string, req: Request): Fault {
  return report({ ok: false, code: 'api_key_not_configured', reason, cause: new Error(message) }, req);
}

function report(fault: Fault, request: Request): Fault {
  if (channels.fault.hasSubscribers) {
    const { code, reason, source } = fault;
    channels.fault.publish({ request, code, reason, ...(source && { source }) });
  }
  return fault;
}
