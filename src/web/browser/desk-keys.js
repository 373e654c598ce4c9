import { element, scopeList, time } from './page.js';

export const statusNames = {
  active: 'Active',
  expiring: 'Expiring',
  rotating: 'Rotating',
  expired: 'Expired',
  revoked: 'Revoked',
  open: 'Open',
  used: 'Used',
  withdrawn: 'Withdrawn',
};

export const badge = (status) => element('span', { className: `badge ${status}` }, statusNames[status]);

/** A table that becomes a list of cards on a phone; the roles keep it a table for screen readers there. */
export function table(label, headings, rows) {
  return element(
    'table',
    { role: 'table', 'aria-label': label },
    element(
      'thead',
      { role: 'rowgroup' },
      element(
        'tr',
        { role: 'row' },
        ...headings.map((heading) => element('th', { role: 'columnheader', scope: 'col' }, heading)),
      ),
    ),
    element('tbody', { role: 'rowgroup' }, ...rows),
  );
}

export function row(...cells) {
  return element('tr', { role: 'row' }, ...cells);
}

export function cell(label, ...content) {
  return element('td', { role: 'cell', 'data-label': label }, ...content);
}

export function renderKeys(keys, session, { rotate, revoke }) {
  const rows = keys.map((record) => {
    const {
      keyId,
      user,
      name,
      scopes,
      status,
      lastUsedAt,
      createdAt,
      expiresAt,
      revokedAt,
      replacedBy,
      metadata,
    } = record;
    const isUsable = revokedAt === undefined && status !== 'expired';
    const what = `${name === undefined ? '' : `${name}, `}${keyId}`;
    const action = (label, run, isDanger = false) =>
      element(
        'button',
        {
          className: `button quiet small${isDanger ? ' warns' : ''}`,
          type: 'button',
          'aria-label': `${label} ${what} of ${user}`,
          onclick: () => run(record),
        },
        label,
      );
    return row(
      cell(
        'Owner',
        element(
          'div',
          { className: 'owner' },
          element('strong', {}, user),
          keyId === session.keyId ? element('span', { className: 'you' }, 'your key') : undefined,
        ),
        name === undefined ? undefined : element('div', { className: 'muted' }, name),
        element('code', { className: 'key-id' }, keyId),
        Object.keys(metadata).length > 0
          ? element(
              'details',
              {},
              element('summary', {}, 'Metadata'),
              element('pre', { tabIndex: 0 }, JSON.stringify(metadata, null, 2)),
            )
          : undefined,
      ),
      cell('Status', badge(status)),
      cell('Scopes', scopes.length > 0 ? scopeList(scopes) : element('span', { className: 'muted' }, 'none')),
      cell(
        'Last used',
        lastUsedAt === undefined
          ? element('span', { className: 'muted' }, 'never')
          : time(lastUsedAt, { isDistance: true }),
      ),
      cell('Created', time(createdAt)),
      cell(revokedAt === undefined ? 'Expires' : 'Revoked', endOf(revokedAt, expiresAt)),
      cell(
        '',
        element(
          'div',
          { className: 'row-actions' },
          isUsable && replacedBy === undefined ? action('Rotate', rotate) : undefined,
          revokedAt === undefined ? action('Revoke', revoke, true) : undefined,
        ),
      ),
    );
  });
  const actions = element('span', { className: 'sr-only' }, 'Actions');
  return table('Keys', ['Owner', 'Status', 'Scopes', 'Last used', 'Created', 'Ends', actions], rows);
}

function endOf(revokedAt, expiresAt) {
  if (revokedAt !== undefined) return time(revokedAt);
  return expiresAt === undefined ? element('span', { className: 'muted' }, 'never') : time(expiresAt);
}
