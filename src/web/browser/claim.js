import { readClaimLink } from './claim-link.js';
import {
  allowBreaks,
  announce,
  createElement,
  createScopeList,
  createTime,
  focusHeading,
  formatCurlLine,
  formatDistance,
  getById,
  mount,
  wireCopyButtons,
} from './page.js';

const states = ['loading', 'invitation', 'key', 'done', 'unusable', 'incomplete', 'nothing'];

// The token and the key are in these two variables and in the page itself, for as long as they are
// needed, and nowhere else.
let { token = '', ...link } = takeLink();
let keyId = '';

/** What the one button of the invitation does now. */
let runAction = () => {};

/**
 * Reads the token out of the address and takes it away there: screens, "back" and reloads are not
 * to have it. An incomplete link stays in the address, so that its reader can mend it.
 */
function takeLink() {
  const found = readClaimLink(location);
  const { href: address, hash, search, pathname } = location;
  if (found.found === undefined && (hash !== '' || search !== ''))
    history.replaceState(null, '', pathname);
  return { ...found, address };
}

function show(state, title) {
  for (const each of states) getById(each).hidden = each !== state;
  document.title = title;
  focusHeading(getById(state));
}

/** What the server says against this page itself: another try would not help. */
class Refusal extends Error {}

/**
 * Resolves to the answer, to `undefined` where the link does not work, and rejects where nothing
 * is known about it.
 */
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
  if (response.status === 403) {
    const { detail } = await response.json();
    throw new Refusal(`${detail} Tell the person who sent the link.`);
  }
  // As many keys as are allowed: the link stays open, and the reader can make room.
  if (response.status === 409) throw new Refusal((await response.json()).detail);
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** Whether the answer with the key is awaited: nothing else may take its place on the page. */
let isClaiming = false;

async function open() {
  if (link.found !== undefined) return showIncomplete();
  if (token === '') return show('nothing', 'Nothing to show');
  show('loading', 'API key invitation');
  const openedToken = token;
  try {
    const invitation = await post('describe');
    // Another link may have been opened meanwhile, or this one used.
    if (openedToken !== token) return;
    if (!invitation) return refuse();
    link = {};
    showInvitation(invitation);
  } catch (error) {
    if (openedToken !== token) return;
    // What is there may be of a link that was opened before.
    getById('invitation').querySelector('h1').textContent = 'Your invitation';
    for (const id of ['lead', 'facts']) getById(id).replaceChildren();
    const why =
      error instanceof Refusal ? error.message : 'The service cannot be reached right now.';
    fail(`${why} Your link has not been used.`, open);
  }
}

function showInvitation({
  user,
  name,
  scopes,
  keyExpiresAt,
  expiresAt,
  apiName = location.host,
  invitedBy,
}) {
  getById('invitation')
    .querySelector('h1')
    .replaceChildren(
      'A key for ',
      createElement('span', { id: 'user', translate: false }, ...allowBreaks(user)),
    );
  const strong = (text) => createElement('strong', { translate: false }, text);
  getById('lead').replaceChildren(
    ...(invitedBy === undefined
      ? ['You are invited to use ', strong(apiName), '.']
      : [strong(invitedBy), ' invites you to use ', strong(apiName), '.']),
  );
  const facts = [
    name === undefined ? undefined : ['Name', createElement('span', { translate: false }, name)],
    ['Allowed to', scopes.length > 0 ? createScopeList(scopes) : 'everything that needs no scope'],
    [
      'Key works',
      keyExpiresAt === undefined
        ? 'until it is revoked'
        : createElement('span', {}, 'until ', createTime(keyExpiresAt)),
    ],
    [
      'Link works',
      createElement(
        'span',
        {},
        'once, until ',
        createTime(expiresAt, { isExact: true }),
        ' ',
        createElement('span', { className: 'muted' }, `(${formatDistance(expiresAt)})`),
      ),
    ],
  ];
  getById('facts').replaceChildren(
    ...facts.flatMap((fact) =>
      fact ? [createElement('dt', {}, fact[0]), createElement('dd', {}, fact[1])] : [],
    ),
  );
  getById('failure').hidden = true;
  getById('promise').hidden = false;
  offerAction('Make my key', claim);
  show('invitation', 'API key invitation');
}

function offerAction(label, action) {
  const button = getById('claim');
  button.textContent = label;
  button.disabled = false;
  runAction = action;
}

async function claim() {
  const button = getById('claim');
  button.disabled = true;
  isClaiming = true;
  getById('failure').hidden = true;
  try {
    const made = await post('claim');
    if (made) showKey(made);
    else refuse();
  } catch (error) {
    if (error instanceof Refusal) return fail(`${error.message} No key was made.`, claim);
    fail(
      'No answer arrived. Try again. If the link then no longer works, your key was made but did not reach you: ask for a new link.',
      claim,
    );
  } finally {
    isClaiming = false;
  }
}

function fail(message, retry) {
  getById('failure').textContent = message;
  getById('failure').hidden = false;
  // It says what the first press does.
  getById('promise').hidden = true;
  offerAction('Try again', retry);
  show('invitation', 'API key invitation');
}

function refuse() {
  token = '';
  // What was put together from parts may lack one, or hold one too many.
  if (link.isJoined) {
    history.replaceState(null, '', link.address);
    showIncomplete();
  } else show('unusable', 'This link does not work');
}

function showIncomplete() {
  show('incomplete', 'This link is incomplete');
}

function showKey(made) {
  token = '';
  keyId = made.keyId;
  getById('key-text').textContent = made.key;
  getById('curl-text').textContent = formatCurlLine(made);
  addEventListener('beforeunload', warnBeforeLoss);
  show('key', 'Your API key');
}

/** Closing the page by mistake would lose the key. */
function warnBeforeLoss(event) {
  event.preventDefault();
}

function forget() {
  removeEventListener('beforeunload', warnBeforeLoss);
  for (const id of ['key-text', 'curl-text']) getById(id).textContent = '';
  // What is selected or was copied by the fallback may still point at the text.
  getSelection()?.removeAllRanges();
}

getById('claim').addEventListener('click', () => runAction());
getById('stored').addEventListener('click', () => {
  forget();
  getById('key-id').textContent = keyId;
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
  const { token: next = '', ...rest } = takeLink();
  if (isClaiming || !getById('key').hidden)
    return announce('Store this key first, then open the other link again.');
  token = next;
  link = rest;
  void open();
});

wireCopyButtons();
void open();
