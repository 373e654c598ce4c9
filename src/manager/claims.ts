import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { channels, type ClaimEvent } from '../keys/diagnostics.js';
import { generateApiKey, randomBase62 } from '../keys/key-format.js';
import { deepCopy } from '../lib/deep-copy.js';
import { digestApiKey } from '../keys/digest.js';
import { dayMs } from '../lib/durations.js';
import { claimStatusOf } from '../stores/claim-status.js';
import {
  ClaimError,
  type ClaimRecord,
  type ClaimStore,
  type StoredClaim,
} from '../stores/claim-store.js';
import type { KeyRecord } from '../stores/key-record.js';
import type { KeyStore } from '../stores/key-store.js';
import type { CreatedKey } from './api-key-manager.js';
import {
  assertClaimId,
  checkCreateClaimOptions,
  checkListClaimsOptions,
  type CreateClaimOptions,
  type ListClaimsOptions,
} from './claim-options.js';

/** A claim link that has just been made. Its token cannot be shown again. */
export interface CreatedClaim {
  /** What stands behind the `#` of the link: 43 characters of base64url, 256 bits. Whoever has it can use the link. */
  readonly token: string;
  /** What is kept of the link. */
  readonly claim: ClaimRecord;
}

export interface ClaimsOptions {
  readonly store: KeyStore;
  /** What new keys begin with. */
  readonly prefix: string;
  readonly source: string;
  readonly now: () => number;
  /** Told of the key that a link has yielded. */
  readonly onCreated: (record: KeyRecord) => void;
}

const tokenBytes = 32;
const tokenPattern = /^[\w-]{43}$/;
const claimIdLength = 10;

/** Makes claim links, and turns each into a key at most once. */
export class Claims {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  async create(options: CreateClaimOptions): Promise<CreatedClaim> {
    const store = this.#store('createClaim');
    const {
      user,
      name,
      scopes = [],
      metadata = {},
      expiresAt,
      claimTtlMs = dayMs,
    } = checkCreateClaimOptions(options);
    const now = this.#options.now();
    if (expiresAt && expiresAt.getTime() <= now)
      throw new RangeError(
        'createClaim: "expiresAt" must be in the future: the key would be refused from the start',
      );
    const token = randomBytes(tokenBytes).toString('base64url');
    const stored: StoredClaim = {
      claimId: `claim_${randomBase62(claimIdLength)}`,
      tokenDigest: digestApiKey(token),
      user,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      metadata: deepCopy(metadata),
      ...(expiresAt && { keyExpiresAt: new Date(expiresAt) }),
      createdAt: new Date(now),
      // A link that outlived its key would hand out what is refused at once.
      expiresAt: new Date(
        Math.min(now + claimTtlMs, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY),
      ),
    };
    const claim = await store.insert(stored);
    this.#publish({ outcome: 'created' }, claim);
    return { token, claim };
  }

  async peek(token: string, request?: IncomingMessage): Promise<ClaimRecord> {
    const store = this.#store('peekClaim');
    const claim = await store.find(this.#digestOf(token, request));
    if (!claim) throw this.#refusal('unknown', undefined, request);
    const status = claimStatusOf(claim, new Date(this.#options.now()));
    if (status !== 'open') throw this.#refusal(status, claim, request);
    return claim;
  }

  async claim(token: string, request?: IncomingMessage): Promise<CreatedKey> {
    const store = this.#store('claim');
    const tokenDigest = this.#digestOf(token, request);
    const { key, ...made } = generateApiKey({ prefix: this.#options.prefix });
    const outcome = await store.take(tokenDigest, {
      ...made,
      createdAt: new Date(this.#options.now()),
    });
    if (outcome.outcome !== 'claimed') {
      throw this.#refusal(outcome.outcome, 'claim' in outcome ? outcome.claim : undefined, request);
    }
    this.#options.onCreated(outcome.record);
    this.#publish({ outcome: 'claimed' }, outcome.claim, request);
    return { key, record: outcome.record };
  }

  async list(options: ListClaimsOptions | undefined): Promise<ClaimRecord[]> {
    const { limit = 100, ...query } = checkListClaimsOptions(options);
    return this.#store('listClaims').list({ ...query, limit, now: new Date(this.#options.now()) });
  }

  async revoke(claimId: string): Promise<ClaimRecord> {
    assertClaimId(claimId);
    const claim = await this.#store('revokeClaim').revoke(claimId, new Date(this.#options.now()));
    this.#publish({ outcome: 'revoked' }, claim);
    return claim;
  }

  async prune(before: Date): Promise<void> {
    await this.#options.store.claims?.prune(before);
  }

  #store(caller: string): ClaimStore {
    const { claims } = this.#options.store;
    if (!claims) throw new TypeError(`${caller}: this key store keeps no claim links`);
    return claims;
  }

  /** What cannot be a token costs no query. */
  #digestOf(token: unknown, request: IncomingMessage | undefined): string {
    if (typeof token !== 'string' || !tokenPattern.test(token))
      throw this.#refusal('malformed', undefined, request);
    return digestApiKey(token);
  }

  #refusal(
    reason: ClaimEvent['reason'] & string,
    claim?: ClaimRecord,
    request?: IncomingMessage,
  ): ClaimError {
    const error = new ClaimError('claim_not_usable');
    this.#publish({ outcome: 'refused', code: 'claim_not_usable', reason }, claim, request);
    return error;
  }

  #publish(
    event: Pick<ClaimEvent, 'outcome' | 'code' | 'reason'>,
    claim: ClaimRecord | undefined,
    request?: IncomingMessage,
  ): void {
    if (!channels.claim.hasSubscribers) return;
    const { claimId, user, keyId } = claim ?? {};
    const message: ClaimEvent = {
      ...(request && { request }),
      ...event,
      ...(claimId !== undefined && { claimId }),
      ...(user !== undefined && { user }),
      ...(keyId !== undefined && { keyId }),
      source: this.#options.source,
    };
    channels.claim.publish(message);
  }
}
