import { groupUsage } from './chart.js';
import { ask, setOperatorKey } from './desk-client.js';
import { closeDialog, wireDialog } from './dialogs.js';
import { openNewKey, openRevoke, openRotate, openRevokeLink } from './desk-forms.js';
import { openHistory } from './desk-history.js';
import { openMore } from './desk-key-forms.js';
import { renderKeys } from './desk-keys.js';
import { renderLinks } from './desk-links.js';
import { List } from './list.js';
import { focusHeading, getById, readSetting } from './page.js';

/** Who is signed in, and what the desk offers; `undefined` while nobody is. */
let session;

const isSignedIn = () => session !== undefined;
const isOwn = ({ keyId }) => keyId === session.keyId;

const main = getById('desk');

/** What the store of the keys can do. */
const abilities = new Set(readSetting('abilities').split(' '));

/** The uses per day; `undefined` if they are not known. */
let usage;

const keys = new List({
  main,
  ask,
  view: getById('keys-view'),
  path: 'keys',
  noun: 'keys',
  readFilters: () => ({
    search: getById('search').value.trim(),
    status: getById('status-filter').value,
  }),
  prepare: async () => {
    // The list is worth showing without its charts.
    const isKnown = abilities.has('usage');
    usage = isKnown ? await ask('GET', 'usage').then(groupUsage, () => undefined) : undefined;
  },
  render: (items) =>
    renderKeys(items, {
      operatorKeyId: session.keyId,
      usage,
      rotate: (record) => openRotate(record, { isOwn: isOwn(record), onChange: refresh }),
      revoke: (record) => openRevoke(record, { isOwn: isOwn(record), onChange: refresh }),
      more: (record) =>
        openMore(record, {
          abilities,
          openHistory,
          isOwn: isOwn(record),
          operatorUser: session.user,
          onChange: refresh,
        }),
    }),
  isSignedIn,
  onRefused: signOut,
});

const links = new List({
  main,
  ask,
  view: getById('links-view'),
  path: 'claims',
  noun: 'links',
  readFilters: () => ({ status: getById('link-status-filter').value }),
  render: (items) =>
    renderLinks(items, { revoke: (claim) => openRevokeLink(claim, { onChange: refresh }) }),
  isSignedIn,
  onRefused: signOut,
});

/**
 * After a change, which has already been announced; `operator` is what the operator has been
 * given in place of their own key.
 */
function refresh({ operator } = {}) {
  // An operator who signed out meanwhile stays signed out.
  if (!isSignedIn()) return;
  if (operator) {
    setOperatorKey(operator.key);
    session = { ...session, keyId: operator.keyId };
  }
  void keys.load({ isQuiet: true });
  if (session.keepsClaims) void links.load({ isQuiet: true });
}

async function signIn(event) {
  event.preventDefault();
  const input = getById('operator-key');
  const key = input.value.trim();
  const refuse = (message) => {
    getById('sign-in-error').textContent = message;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  // A header cannot carry it, so it is no key; asking would only fail in a way that explains
  // nothing.
  if (!/^[!-~]{1,512}$/.test(key)) {
    refuse('Enter your API key.');
    return;
  }
  setOperatorKey(key);
  try {
    session = await ask('GET', 'session');
  } catch (error) {
    setOperatorKey(undefined);
    refuse(error.message);
    return;
  }
  input.value = '';
  getById('sign-in-error').textContent = '';
  input.removeAttribute('aria-invalid');
  getById('api-name').textContent = session.apiName ?? location.host;
  getById('who').textContent = session.user;
  getById('tab-links').hidden = !session.keepsClaims;
  showDesk();
  chooseTab('keys');
  void keys.restart();
  // It is behind the other tab, and must not be said in place of what is seen.
  if (session.keepsClaims) void links.restart({ isQuiet: true });
}

function signOut(message = '') {
  session = undefined;
  setOperatorKey(undefined);
  closeDialog();
  for (const list of [keys, links]) list.clear();
  for (const form of ['sign-in-form', 'key-filters', 'link-filters']) getById(form).reset();
  getById('sign-in-error').textContent = message;
  getById('toast').textContent = '';
  showSignIn();
}

function showDesk() {
  getById('desk').hidden = false;
  getById('sign-in').hidden = true;
  focusHeading(getById('desk'));
}

function showSignIn() {
  getById('desk').hidden = true;
  getById('sign-in').hidden = false;
  getById('operator-key').focus();
}

function chooseTab(name, { takesFocus = false } = {}) {
  for (const each of ['keys', 'links']) {
    const [tab, isChosen] = [getById(`tab-${each}`), each === name];
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    getById(`panel-${each}`).hidden = !isChosen;
    if (isChosen && takesFocus) tab.focus();
  }
}

let typing;
getById('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => void keys.restart(), 200);
});
getById('status-filter').addEventListener('change', () => void keys.restart());
getById('link-status-filter').addEventListener('change', () => void links.restart());
for (const form of ['key-filters', 'link-filters'])
  getById(form).addEventListener('submit', (event) => event.preventDefault());
for (const name of ['keys', 'links'])
  getById(`tab-${name}`).addEventListener('click', () => chooseTab(name));
getById('desk')
  .querySelector('[role=tablist]')
  .addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key) || !session.keepsClaims)
      return;
    event.preventDefault();
    chooseTab(getById('panel-keys').hidden ? 'keys' : 'links', { takesFocus: true });
  });
getById('new-key').addEventListener('click', () => openNewKey(session, { onChange: refresh }));
getById('sign-in-form').addEventListener('submit', (event) => void signIn(event));
getById('sign-out').addEventListener('click', () => signOut());
// A page that is left may be kept whole, to be shown again by "back".
addEventListener('pagehide', () => signOut());

wireDialog(main);
showSignIn();
