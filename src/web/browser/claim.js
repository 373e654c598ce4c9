import {
  announce,
  byId,
  curlLine,
  distance,
  element,
  mount,
  scopeList,
  time,
  wireCopyButtons,
} from './page.js';

const states = ['loading', 'invitation', 'key', 'done', 'unusable', 'nothing'];

// The token and the key are in these two variables and in the page itself, for as long as they are needed, and nowhere else.
let token = takeToken();
let keyId = '';

/** What the one button of the invitation does now. */
let act = () => {};

/** Reads the token out of the address and takes it away there: screens, "back" and reloads are not to have it. */
function takeToken() {
  const text = location.hash.slice(1);
  if (location.hash !== '' || location.search !== '') history.replaceState(null, '', location.pathname);
  return text;
}

function show(state, title) {
  for (const each of states) byId(each).hidden = each !== state;
  document.title = title;
  // Screen readers read on from the new heading; the keyboard goes on from it.
  byId(state).querySelector('h1').focus();
}

/** Resolves to the answer, to `undefined` where the link does not work, and rejects where nothing is known about it. */
async function post(action) {
  const response = await fetch(new URL(action, mount), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** Whether the answer is awaited that brings the key: nothing may take its place on the page. */
let isClaiming = false;

async function open() {
  if (token === '') return show('nothing', 'Nothing to show');
  show('loading', 'API key invitation');
  try {
    const asked = token;
    const invitation = await post('describe');
    // Another link may have been opened meanwhile, or this one used.
    if (asked !== token) return;
    if (invitation) showInvitation(invitation);
    else refuse();
  } catch {
    fail('The service cannot be reached just now. Your link is unchanged.', 'Try again', open);
    byId('invitation').querySelector('h1').textContent = 'Your invitation';
  }
}

function showInvitation({ user, name, scopes, keyExpiresAt, expiresAt, apiName = location.host, invitedBy }) {
  byId('invitation')
    .querySelector('h1')
    .replaceChildren('A key for ', element('span', { id: 'user' }, user));
  const strong = (text) => element('strong', {}, text);
  byId('lead').replaceChildren(
    ...(invitedBy === undefined
      ? ['You are invited to use ', strong(apiName), '.']
      : [strong(invitedBy), ' invites you to use ', strong(apiName), '.']),
  );
  const facts = [
    name === undefined ? undefined : ['Name', name],
    ['Allowed to', scopes.length > 0 ? scopeList(scopes) : 'whatever needs no special scope'],
    [
      'Key works',
      keyExpiresAt === undefined ? 'until it is replaced' : element('span', {}, 'until ', time(keyExpiresAt)),
    ],
    [
      'Link works',
      element(
        'span',
        {},
        'once, until ',
        time(expiresAt, { isExact: true }),
        ' ',
        element('span', { className: 'muted' }, `(${distance(expiresAt)})`),
      ),
    ],
  ];
  byId('facts').replaceChildren(
    ...facts.flatMap((fact) => (fact ? [element('dt', {}, fact[0]), element('dd', {}, fact[1])] : [])),
  );
  ready('Make my key', claim);
  show('invitation', 'API key invitation');
}

function ready(label, action) {
  const button = byId('claim');
  button.textContent = label;
  button.disabled = false;
  act = action;
}

async function claim() {
  const button = byId('claim');
  button.disabled = true;
  isClaiming = true;
  byId('failure').hidden = true;
  try {
    const made = await post('claim');
    if (made) showKey(made);
    else refuse();
  } catch {
    fail(
      'No answer came. The key may have been made without reaching you: try again, and if the link no longer works, ask for a new one.',
      'Try again',
      claim,
    );
  } finally {
    isClaiming = false;
  }
}

function fail(message, label, action) {
  byId('failure').textContent = message;
  byId('failure').hidden = false;
  ready(label, action);
  show('invitation', 'API key invitation');
}

function refuse() {
  token = '';
  show('unusable', 'This link does not work');
}

function showKey(made) {
  token = '';
  keyId = made.keyId;
  byId('key-text').textContent = made.key;
  byId('curl-text').textContent = curlLine(made);
  addEventListener('beforeunload', warnBeforeLoss);
  show('key', 'Your API key');
}

/** Whoever closes the page by mistake has lost the key. */
function warnBeforeLoss(event) {
  event.preventDefault();
}

function forget() {
  removeEventListener('beforeunload', warnBeforeLoss);
  for (const id of ['key-text', 'curl-text']) byId(id).textContent = '';
  // What is selected or was copied by the fallback may still point at the text.
  getSelection()?.removeAllRanges();
}

byId('claim').addEventListener('click', () => act());
byId('stored').addEventListener('click', () => {
  forget();
  byId('key-id').textContent = keyId;
  show('done', 'All done');
});

// A page that is left may be kept whole, to be shown again by "back".
addEventListener('pagehide', () => {
  forget();
  token = '';
});
addEventListener('pageshow', (event) => {
  if (event.persisted) show('nothing', 'Nothing to show');
});
// The same tab, another link: browsers do not load a page anew for its fragment.
addEventListener('hashchange', () => {
  if (location.hash === '') return;
  const next = takeToken();
  if (isClaiming || !byId('key').hidden)
    return announce('Store this key first, then open the other link again.');
  token = next;
  void open();
});

wireCopyButtons();
void open();
