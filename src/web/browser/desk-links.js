import { badge, cell, row, table } from './desk-keys.js';
import { element, scopeList, time } from './page.js';

export function renderLinks(claims, { withdraw }) {
  const rows = claims.map((claim) => {
    const { claimId, user, name, scopes, status, createdAt, expiresAt, claimedAt, revokedAt, keyId } = claim;
    return row(
      cell(
        'For',
        element('div', { className: 'owner' }, element('strong', {}, user)),
        name === undefined ? undefined : element('div', { className: 'muted' }, name),
        element('code', { className: 'key-id' }, claimId),
      ),
      cell('Status', badge(status)),
      cell('Scopes', scopes.length > 0 ? scopeList(scopes) : element('span', { className: 'muted' }, 'none')),
      cell('Made', time(createdAt, { isExact: true })),
      cell(...endOf({ status, expiresAt, claimedAt, revokedAt, keyId })),
      cell(
        '',
        element(
          'div',
          { className: 'row-actions' },
          status === 'open'
            ? element(
                'button',
                {
                  className: 'button quiet small warns',
                  type: 'button',
                  'aria-label': `Withdraw ${claimId} for ${user}`,
                  onclick: () => withdraw(claim),
                },
                'Withdraw',
              )
            : undefined,
        ),
      ),
    );
  });
  const actions = element('span', { className: 'sr-only' }, 'Actions');
  return table('Claim links', ['For', 'Status', 'Scopes', 'Made', 'Ends', actions], rows);
}

function endOf({ status, expiresAt, claimedAt, revokedAt, keyId }) {
  if (status === 'used') {
    return ['Used', time(claimedAt, { isExact: true }), element('code', { className: 'key-id' }, keyId)];
  }
  if (status === 'withdrawn') return ['Withdrawn', time(revokedAt, { isExact: true })];
  return [status === 'open' ? 'Works until' : 'Expired', time(expiresAt, { isExact: true })];
}
