import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClaimMessage } from '../keys/diagnostics.js';
import { generateApiKey, randomBase62 } from '../keys/key-format.js';
import { deepCopy } from '../lib/values.js';
import { digestApiKey } from '../keys/digest.js';
import { dayMs } from '../lib/durations.js';
import { ArgumentRangeError } from '../lib/options.js';
import {
  claimStatusOf,
  ClaimError,
  type ClaimRecord,
  type ClaimStore,
  type StoredClaim,
} from '../stores/claim-store.js';
import { notSupported } from '../stores/key-store-error.js';
import type { KeyStore } from '../stores/key-store.js';
import type { CreatedKey } from './key-options.js';
import type { Announcer } from './announcer.js';
import { contextOf, readChange, type Attribution } from './change-options.js';
import {
  checkCreateClaimOptions,
  checkRevokeClaimOptions,
  checkListClaimsOptions,
  type CreateClaimOptions,
  type ListClaimsOptions,
} from './claim-options.js';
import type { Policies } from './policies.js';

/** A claim link that has just been made. Its token cannot be shown again. */
export interface CreatedClaim {
  /**
   * The part after the `#` of the link: 43 characters of base64url, 256 bits. Anyone who has it
   * can use the link.
   */
  readonly token: string;
  /** The record of the link. */
  readonly claim: ClaimRecord;
}

export interface ClaimsOptions {
  readonly store: KeyStore;
  /** The start of new keys. */
  readonly prefix: string;
  readonly now: () => number;
  readonly policies: Policies;
  readonly announcer: Announcer;
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
    const checked = checkCreateClaimOptions(options);
    const { user, name, scopes = [], metadata = {}, expiresAt, allowedAddresses = [] } = checked;
    const change = readChange(options);
    const now = this.#options.now();
    if (expiresAt && expiresAt.getTime() <= now)
      throw new ArgumentRangeError(
        'createClaim',
        'expiresAt',
        'in the future: the key would be refused from the start',
      );
    // A key without an end of its own gets the default one, counted from the claim.
    this.#options.policies.expiryOfNew(expiresAt, now);
    const token = randomBytes(tokenBytes).toString('base64url');
    const createdAt = new Date(now);
    const stored: StoredClaim = {
      claimId: `claim_${randomBase62(claimIdLength)}`,
      tokenDigest: digestApiKey(token),
      user,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      metadata: deepCopy(metadata),
      ...(expiresAt && { keyExpiresAt: new Date(expiresAt) }),
      ...(allowedAddresses.length > 0 && { allowedAddresses: [...allowedAddresses] }),
      createdAt,
      expiresAt: endOfLink(checked, now),
    };
    const context = contextOf(change, createdAt);
    const claim = await store.insert(stored, context);
    if (stored.allowedAddresses && !claim.allowedAddresses) {
      // A store that cannot keep the addresses would make a key that works from anywhere.
      await store.revoke(claim.claimId, createdAt, context);
      throw notSupported('limit a key to addresses');
    }
    this.#options.announcer.claim({ outcome: 'created' }, { claim, change });
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
    const { prefix, policies, announcer } = this.#options;
    const { key, ...made } = generateApiKey({ prefix });
    const now = this.#options.now();
    const createdAt = new Date(now);
    const change = readChange(undefined, 'claim');
    const limits = {
      defaultExpiresAt: policies.defaultExpiry(now),
      maxKeysPerUser: policies.maxKeys(),
    };
    const outcome = await store.take(
      tokenDigest,
      { ...made, createdAt, ...limits },
      contextOf(change, createdAt),
    );
    if (outcome.outcome !== 'claimed') {
      throw this.#refusal(outcome.outcome, 'claim' in outcome ? outcome.claim : undefined, request);
    }
    const { claim, record } = outcome;
    announcer.changed('created', record, change);
    announcer.claim({ outcome: 'claimed' }, { claim, change, request });
    return { key, record };
  }

  async list(options: ListClaimsOptions | undefined): Promise<ClaimRecord[]> {
    const { limit = 100, ...query } = checkListClaimsOptions(options);
    return this.#store('listClaims').list({ ...query, limit, now: new Date(this.#options.now()) });
  }

  async revoke(claimId: string, options?: Attribution): Promise<ClaimRecord> {
    checkRevokeClaimOptions(claimId, options);
    const change = readChange(options);
    const revokedAt = new Date(this.#options.now());
    const context = contextOf(change, revokedAt);
    const claim = await this.#store('revokeClaim').revoke(claimId, revokedAt, context);
    this.#options.announcer.claim({ outcome: 'revoked' }, { claim, change });
    return claim;
  }

  #store(caller: string): ClaimStore {
    const { claims } = this.#options.store;
    if (!claims) throw new TypeError(`${caller}: this key store keeps no claim links`);
    return claims;
  }

  /** An impossible token costs no query. */
  #digestOf(token: unknown, request: IncomingMessage | undefined): string {
    if (typeof token !== 'string' || !tokenPattern.test(token))
      throw this.#refusal('malformed', undefined, request);
    return digestApiKey(token);
  }

  #refusal(
    reason: ClaimMessage['reason'] & string,
    claim?: ClaimRecord,
    request?: IncomingMessage,
  ): ClaimError {
    const event = { outcome: 'refused', code: 'claim_not_usable', reason } as const;
    this.#options.announcer.claim(event, { claim, request });
    return new ClaimError('claim_not_usable');
  }
}

/** A link that outlived its key would hand out a key that is refused at once. */
function endOfLink({ claimTtlMs = dayMs, expiresAt }: CreateClaimOptions, now: number): Date {
  return new Date(Math.min(now + claimTtlMs, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY));
}
