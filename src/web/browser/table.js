import { allowBreaks, createElement, createScopeList, createTime } from './page.js';

const statusNames = {
  active: 'Active',
  expiring: 'Expiring',
  rotating: 'Rotating',
  paused: 'Paused',
  expired: 'Expired',
  revoked: 'Revoked',
  open: 'Open',
  used: 'Used',
};

/**
 * A table that becomes a list of cards on a phone; the roles keep it a table for screen readers
 * there. The last column is for buttons.
 */
export function createTable(label, headings, rows) {
  const createHeading = (heading) =>
    createElement('th', { role: 'columnheader', scope: 'col' }, heading);
  const actions = createElement('span', { className: 'sr-only' }, 'Actions');
  return createElement(
    'table',
    { role: 'table', 'aria-label': label },
    createElement(
      'thead',
      { role: 'rowgroup' },
      createElement('tr', { role: 'row' }, ...[...headings, actions].map(createHeading)),
    ),
    createElement('tbody', { role: 'rowgroup' }, ...rows),
  );
}

export function createRow(...cells) {
  return createElement('tr', { role: 'row' }, ...cells);
}

export function createCell(label, ...content) {
  return createElement('td', { role: 'cell', 'data-label': label }, ...content);
}

/** The first cell of a row: whose it is, its name, and its id. */
export function createUserCell(label, { user, name, id, mark }, ...more) {
  return createCell(
    label,
    createElement(
      'div',
      { className: 'user' },
      createElement('strong', { translate: false }, ...allowBreaks(user)),
      mark === undefined ? undefined : createElement('span', { className: 'mark' }, mark),
    ),
    name === undefined
      ? undefined
      : createElement('div', { className: 'muted', translate: false }, name),
    createElement('code', { className: 'record-id', translate: false }, id),
    ...more,
  );
}

export function createStatusCell({ status, pausedUntil }) {
  return createCell(
    'Status',
    createElement('span', { className: `badge ${status}` }, statusNames[status]),
    status === 'paused' && pausedUntil !== undefined
      ? createElement(
          'div',
          { className: 'muted until' },
          'until ',
          createTime(pausedUntil, { isExact: true }),
        )
      : undefined,
  );
}

/** When a key was last used, and how often. */
export function createUseCell({ lastUsedAt }, chart) {
  const last =
    lastUsedAt === undefined ? createMuted('never') : createTime(lastUsedAt, { isDistance: true });
  return createCell('Last used', last, chart);
}

/** When a key ends or has ended. */
export function createEndCell({ status, revokedAt, expiresAt }) {
  if (revokedAt !== undefined) return createCell('Revoked', createTime(revokedAt));
  if (expiresAt === undefined) return createCell('Expires', createMuted('never'));
  return createCell(status === 'expired' ? 'Expired' : 'Expires', createTime(expiresAt));
}

export function createScopesCell(scopes) {
  return createCell('Scopes', scopes.length > 0 ? createScopeList(scopes) : createMuted('none'));
}

export function createActionsCell(...buttons) {
  return createCell('', createElement('div', { className: 'row-actions' }, ...buttons));
}

/**
 * A button in a row; `subject` tells it from the buttons of other rows for those who hear the
 * page.
 */
export function createActionButton(label, { subject, isDanger = false, onPress }) {
  return createElement(
    'button',
    {
      className: `button quiet small${isDanger ? ' warns' : ''}`,
      type: 'button',
      'aria-label': `${label} ${subject}`,
      onclick: onPress,
    },
    label,
  );
}

export const createMuted = (text) => createElement('span', { className: 'muted' }, text);
