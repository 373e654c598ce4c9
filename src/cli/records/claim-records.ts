import { claimStatusOf, type ClaimRecord } from '../../stores/claim-store.js';
import { formatTime } from '../terminal/time.js';

/** A claim link for machines, with its status at this moment. */
export function claimJson(claim: ClaimRecord): object {
  return { ...claim, status: claimStatusOf(claim, new Date()) };
}

export const claimColumns = [
  { title: 'CLAIM ID' },
  { title: 'USER', least: 8 },
  { title: 'NAME', least: 8, spare: 3 },
  { title: 'SCOPES', least: 8, spare: 2 },
  { title: 'STATUS' },
  { title: 'CREATED', least: 10, spare: 4 },
  { title: 'ENDS', least: 10 },
  { title: 'KEY ID', spare: 1 },
] as const;

/** A claim link for people, as a row under `claimColumns`. */
export function claimRow(claim: ClaimRecord): string[] {
  return [
    claim.claimId,
    claim.user,
    claim.name ?? '',
    claim.scopes.join(' '),
    claimStatusOf(claim, new Date()),
    formatTime(claim.createdAt),
    formatTime(claim.claimedAt ?? claim.revokedAt ?? claim.expiresAt),
    claim.keyId ?? '',
  ];
}
