import type { IncomingMessage } from 'node:http';
import { channels, type ApiKeyMessage, type ClaimMessage } from '../keys/diagnostics.js';
import type { ClaimRecord } from '../stores/claim-store.js';
import type { KeyRecord } from '../stores/key-record.js';
import type { Change } from './change-options.js';

/** What identifies an attempt at a claim link. */
interface ClaimSubject {
  /** Absent if the token belongs to no link. */
  readonly claim?: ClaimRecord | undefined;
  /** Absent if the attempt changed nothing. */
  readonly change?: Change | undefined;
  readonly request?: IncomingMessage | undefined;
}

/** Tells the cache of this process and subscribers to the diagnostics channels about changes. */
export class Announcer {
  readonly #source: string;
  readonly #forget: (keyId: string) => void;

  /** @param forget removes a key from the cache */
  constructor(source: string, forget: (keyId: string) => void) {
    this.#source = source;
    this.#forget = forget;
  }

  changed(
    reason: ApiKeyMessage['reason'] & string,
    { keyId, user }: Pick<KeyRecord, 'keyId' | 'user'>,
    change: Change,
  ): void {
    this.#forget(keyId);
    if (channels.changed.hasSubscribers)
      channels.changed.publish({
        keyId,
        user,
        source: this.#source,
        reason,
        ...publishedFields(change),
      });
  }

  /** The store does not say which keys were deleted. */
  pruned(change: Change): void {
    if (channels.changed.hasSubscribers)
      channels.changed.publish({
        source: this.#source,
        reason: 'deleted',
        ...publishedFields(change),
      });
  }

  claim(
    event: Pick<ClaimMessage, 'outcome' | 'code' | 'reason'>,
    { claim, change, request }: ClaimSubject,
  ): void {
    if (!channels.claim.hasSubscribers) return;
    const { claimId, user, keyId } = claim ?? {};
    const message: ClaimMessage = {
      ...(request && { request }),
      ...event,
      ...(claimId !== undefined && { claimId }),
      ...(user !== undefined && { user }),
      ...(keyId !== undefined && { keyId }),
      source: this.#source,
      ...(change && publishedFields(change)),
    };
    channels.claim.publish(message);
  }
}

const publishedFields = ({ by, via, reason }: Change) => ({
  ...(by !== undefined && { by }),
  via,
  ...(reason !== undefined && { why: reason }),
});
