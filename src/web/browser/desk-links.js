import {
  createActionButton,
  createActionsCell,
  createCell,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUserCell,
} from './table.js';
import { createElement, createTime } from './page.js';

export function renderLinks(claims, { revoke }) {
  const rows = claims.map((claim) => {
    const { claimId, user, name, scopes, status, createdAt } = claim;
    return createRow(
      createUserCell('User', { user, name, id: claimId }),
      createStatusCell(claim),
      createScopesCell(scopes),
      createCell('Created', createTime(createdAt, { isExact: true })),
      createCell(...describeEnd(claim)),
      createActionsCell(
        status === 'open'
          ? createActionButton('Revoke', {
              subject: `${claimId} for ${user}`,
              isDanger: true,
              onPress: () => revoke(claim),
            })
          : undefined,
      ),
    );
  });
  return createTable('Claim links', ['User', 'Status', 'Scopes', 'Created', 'Ends'], rows);
}

/** The label and the content of the cell that says when a link ends or has ended. */
function describeEnd({ status, expiresAt, claimedAt, revokedAt, keyId }) {
  const createExact = (text) => createTime(text, { isExact: true });
  if (status === 'used')
    return [
      'Used',
      createExact(claimedAt),
      createElement('code', { className: 'record-id', translate: false }, keyId),
    ];
  if (status === 'revoked') return ['Revoked', createExact(revokedAt)];
  return [status === 'open' ? 'Works until' : 'Expired', createExact(expiresAt)];
}
