import { toPath, toQueryString } from './api.js';
import { ask } from './desk-client.js';
import { openPanel } from './dialogs.js';
import { describeKey } from './key-forms.js';
import { createElement, createTime } from './page.js';

const names = {
  created: 'Created',
  imported: 'Taken over',
  claimed: 'Claimed',
  updated: 'Changed',
  rotated: 'Rotated',
  paused: 'Paused',
  resumed: 'Resumed',
  revoked: 'Revoked',
  deleted: 'Deleted',
  claim_created: 'Link made',
  claim_revoked: 'Link revoked',
};
const ways = {
  code: 'by a program',
  cli: 'on the command line',
  desk: 'at the key desk',
  account: 'on the account page',
  claim: 'with a claim link',
  sql: 'in the database',
};

const fields = {
  name: 'Name',
  scopes: 'Scopes',
  expiresAt: 'Expires',
  metadata: 'Metadata',
  user: 'User',
  allowedAddresses: 'Allowed addresses',
  pausedUntil: 'Paused until',
  replacedBy: 'Replaced by',
};

/** Shows what was done with a key, by whom and why, newest first. */
export function openHistory(record) {
  const list = createElement('ol', { className: 'history', role: 'list' });
  const problem = createElement('p', { className: 'notice error', role: 'alert', hidden: true });
  const more = createElement(
    'button',
    { className: 'button quiet small', type: 'button', hidden: true, onclick: () => void load() },
    'Older',
  );
  let cursor;
  const load = async () => {
    more.disabled = true;
    try {
      const path = toPath('keys', record.keyId, 'history');
      const { events, next } = await ask('GET', path + toQueryString({ cursor, limit: '20' }));
      list.append(...events.map(describeEvent));
      cursor = next ?? undefined;
      more.hidden = next === null;
      problem.hidden = true;
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      more.disabled = false;
    }
  };
  openPanel({
    title: 'History',
    content: [describeKey(record, 'Newest first:'), list, problem, more],
  });
  void load();
}

function describeEvent({ what, at, by, via, reason, changes = {} }) {
  const who =
    by === undefined
      ? undefined
      : createElement('strong', { translate: false }, via === 'sql' ? `role ${by}` : by);
  return createElement(
    'li',
    {},
    createElement(
      'p',
      {},
      createElement('strong', {}, names[what] ?? what),
      who === undefined ? ' ' : ' by ',
      who,
      who === undefined ? '' : ', ',
      ways[via] ?? via,
    ),
    createElement('p', { className: 'muted' }, createTime(at, { isExact: true })),
    reason === undefined ? undefined : createElement('p', { translate: false }, `“${reason}”`),
    ...Object.entries(changes).map(([field, [before, after]]) =>
      createElement(
        'p',
        { className: 'change' },
        `${fields[field] ?? field}: `,
        ...(before === null ? [] : [createValue(field, before), ' became ']),
        createValue(field, after),
      ),
    ),
  );
}

function createValue(field, value) {
  if (value === null || value.length === 0) return 'none';
  if (field === 'expiresAt' || field === 'pausedUntil') return createTime(value, { isExact: true });
  const text = Array.isArray(value) ? value.join(' ') : value;
  return createElement(
    'code',
    { translate: false },
    typeof text === 'string' ? text : JSON.stringify(text),
  );
}
