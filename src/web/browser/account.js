import { ask } from './account-client.js';
import { openNewKey, openRevoke, openRotate } from './account-forms.js';
import { renderOwnKeys } from './account-table.js';
import { groupUsage } from './chart.js';
import { wireDialog } from './dialogs.js';
import { List } from './list.js';
import { createElement, getById, readSetting } from './page.js';

const main = getById('account');
const countsUses = readSetting('abilities').split(' ').includes('usage');

/** Who is logged in and what they may do; `undefined` until that is known. */
let session;

/** The uses per day; `undefined` if they are not known. */
let usage;

const keys = new List({
  view: getById('keys-view'),
  main,
  ask,
  path: 'keys',
  noun: 'keys',
  prepare: async () => {
    // The list is worth showing without its charts.
    usage = countsUses ? await ask('GET', 'usage').then(groupUsage, () => undefined) : undefined;
  },
  render: (items) =>
    renderOwnKeys(items, {
      usage,
      rotate: (record) => openRotate(record, { onChange: refresh }),
      revoke: (record) => openRevoke(record, { onChange: refresh }),
    }),
  isSignedIn: () => session !== undefined,
  onRefused: explain,
});

function refresh() {
  void keys.load({ isQuiet: true });
}

async function start() {
  try {
    session = await ask('GET', 'session');
  } catch (error) {
    explain(error.message);
    return;
  }
  const { user, apiName, maxKeys } = session;
  getById('api-name').textContent = apiName ?? location.host;
  getById('who').textContent = user;
  getById('who-line').hidden = false;
  getById('lead').textContent =
    `Programs use these keys to call the API in your name. You may have ${maxKeys} at a time.`;
  getById('new-key').disabled = false;
  await keys.restart();
}

/** A user who is no longer logged in must reload the page, which leads to the login. */
function explain(message) {
  session = undefined;
  getById('new-key').disabled = true;
  const reload = createElement(
    'button',
    { className: 'button quiet small', type: 'button', onclick: () => location.reload() },
    'Reload',
  );
  const view = getById('keys-view');
  view.setAttribute('aria-busy', 'false');
  view.replaceChildren(
    createElement(
      'div',
      { className: 'notice error', role: 'alert' },
      createElement('p', {}, message),
      reload,
    ),
  );
}

wireDialog(main);
getById('new-key').addEventListener('click', () => openNewKey(session, { onChange: refresh }));
void start();
