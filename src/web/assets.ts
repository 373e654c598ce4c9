// Made by scripts/embed-web-assets.ts from src/web/browser; not to be changed here.

/** The files of the pages, by name. */
export const assets = {
  'base.css': `:root {
  color-scheme: light dark;
  --ground: #f4f5f7;
  --surface: #ffffff;
  --sunken: #f3f5f9;
  --text: #191c22;
  --muted: #596273;
  --line: #dde1e8;
  --field-line: #848d9c;
  --accent: #34549b;
  --accent-strong: #2a4580;
  --on-accent: #ffffff;
  --accent-soft: #e9eefb;
  --danger: #b3261e;
  --danger-strong: #8f1d17;
  --on-danger: #ffffff;
  --danger-soft: #fdeceb;
  --good: #17693f;
  --good-soft: #e4f4ea;
  --warn: #8a5300;
  --warn-soft: #fdf1dc;
  --shadow: 0 1px 2px rgb(20 26 40 / 6%), 0 8px 28px rgb(20 26 40 / 7%);
  --radius: 12px;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1116;
    --surface: #181b22;
    --sunken: #101319;
    --text: #e9ebf0;
    --muted: #a2abba;
    --line: #2b303b;
    --field-line: #6c7688;
    --accent: #a9bff5;
    --accent-strong: #c3d2fa;
    --on-accent: #111827;
    --accent-soft: #222c44;
    --danger: #ffb4ab;
    --danger-strong: #ffcac4;
    --on-danger: #3b0a07;
    --danger-soft: #3a1d1b;
    --good: #8ed6ab;
    --good-soft: #16301f;
    --warn: #f1c77e;
    --warn-soft: #33270f;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 10px 30px rgb(0 0 0 / 30%);
  }
}

*,
*::before,
*::after {
  box-sizing: border-box;
}

[hidden] {
  display: none !important;
}

html {
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}

body {
  margin: 0;
  min-height: 100vh;
  min-height: 100dvh;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.5 var(--sans);
  overflow-wrap: anywhere;
}

h1,
h2,
h3,
p,
dl,
dd,
ul,
fieldset {
  margin: 0;
  padding: 0;
}

h1,
h2,
h3 {
  line-height: 1.25;
  letter-spacing: -0.012em;
  text-wrap: balance;
}

/* Headings take the focus when the page changes; nothing can be done there, so nothing marks them. */
:is(h1, h2):focus {
  outline: none;
}

:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}

code,
.code {
  font-family: var(--mono);
  font-size: 0.9em;
  font-variant-ligatures: none;
}

button,
input,
select,
textarea {
  font: inherit;
  color: inherit;
}

.button {
  display: inline-flex;
  white-space: nowrap;
  align-items: center;
  justify-content: center;
  gap: 0.5rem;
  min-height: 2.75rem;
  padding: 0.5rem 1.1rem;
  border: 1px solid transparent;
  border-radius: 8px;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  line-height: 1.25;
  cursor: pointer;
  transition: background-color 120ms ease;
}

.button:hover:not(:disabled) {
  background: var(--accent-strong);
}

.button:disabled {
  cursor: progress;
  opacity: 0.7;
}

.button.quiet {
  border-color: var(--line);
  background: var(--surface);
  color: var(--text);
}

.button.quiet:hover:not(:disabled) {
  background: var(--sunken);
}

.button.danger {
  background: var(--danger);
  color: var(--on-danger);
}

.button.danger:hover:not(:disabled) {
  background: var(--danger-strong);
}

.button.small {
  min-height: 2.25rem;
  padding: 0.3rem 0.75rem;
  font-size: 0.875rem;
}

.scopes {
  display: flex;
  flex-wrap: wrap;
  gap: 0.375rem;
  list-style: none;
}

.scopes code {
  display: block;
  padding: 0.1rem 0.5rem;
  border-radius: 6px;
  background: var(--accent-soft);
  font-size: 0.8125rem;
}

.muted {
  color: var(--muted);
}

.notice {
  padding: 0.75rem 1rem;
  border-radius: 8px;
  background: var(--warn-soft);
  color: var(--warn);
  font-size: 0.9375rem;
}

.notice.error {
  background: var(--danger-soft);
  color: var(--danger);
}

.secret {
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--sunken);
}

.secret-head {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 1rem;
  padding: 0.4rem 0.4rem 0.4rem 1rem;
  border-bottom: 1px solid var(--line);
}

.secret-head h2,
.secret-head h3 {
  font-size: 0.8125rem;
  font-weight: 600;
  letter-spacing: 0;
  color: var(--muted);
}

.secret code {
  display: block;
  padding: 0.9rem 1rem;
  font-size: 0.875rem;
  line-height: 1.6;
  overflow-wrap: anywhere;
  user-select: all;
}

.sr-only {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.toast {
  position: fixed;
  inset: auto 0 1.25rem;
  z-index: 2;
  width: fit-content;
  max-width: calc(100vw - 2rem);
  margin: 0 auto;
  padding: 0.55rem 1rem;
  border-radius: 999px;
  background: var(--text);
  color: var(--ground);
  font-size: 0.9375rem;
  box-shadow: var(--shadow);
}

.toast:empty {
  visibility: hidden;
}

@media (prefers-reduced-motion: reduce) {
  *,
  *::before,
  *::after {
    animation: none !important;
    transition: none !important;
    scroll-behavior: auto !important;
  }
}
`,
  'claim.css': `body {
  display: grid;
  place-items: start center;
  padding: clamp(1rem, 8vh, 5rem) 1rem;
}

.card {
  width: 100%;
  max-width: 38rem;
  padding: clamp(1.5rem, 5vw, 2.75rem);
  border-radius: 16px;
  background: var(--surface);
  box-shadow: var(--shadow);
}

@media (width < 40rem) {
  body {
    padding: 0;
  }

  .card {
    min-height: 100vh;
    min-height: 100dvh;
    border-radius: 0;
    box-shadow: none;
  }
}

section {
  display: grid;
  gap: 1.25rem;
}

.eyebrow {
  margin-bottom: -0.85rem;
  color: var(--muted);
  font-size: 0.875rem;
  font-weight: 600;
}

h1 {
  font-size: clamp(1.5rem, 5vw, 1.875rem);
}

.lead {
  color: var(--muted);
  font-size: 1.0625rem;
  text-wrap: pretty;
}

.lead strong {
  color: var(--text);
  font-weight: 600;
}

.facts {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 0.7rem 1.5rem;
  padding: 1.1rem 0;
  border-block: 1px solid var(--line);
}

.facts:empty {
  display: none;
}

.facts dt {
  color: var(--muted);
}

.facts .muted {
  font-size: 0.9375rem;
}

.wide {
  width: 100%;
  min-height: 3.125rem;
  font-size: 1.0625rem;
}

.hint {
  color: var(--muted);
  font-size: 0.9375rem;
  text-wrap: pretty;
}

@media (width < 26rem) {
  .facts {
    grid-template-columns: 1fr;
    gap: 0.1rem;
  }

  .facts dd:not(:last-child) {
    margin-bottom: 0.7rem;
  }
}
`,
  'claim.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex, nofollow" />
    <meta name="referrer" content="no-referrer" />
    <meta name="color-scheme" content="light dark" />
    <title>API key invitation</title>
    <link rel="icon" href="%base%icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="%base%base.css" />
    <link rel="stylesheet" href="%base%claim.css" />
    <script type="module" src="%base%claim.js"></script>
  </head>
  <body>
    <main class="card">
      <noscript>
        <h1>JavaScript is needed here</h1>
        <p class="lead">
          Your link is read by a script, so that it never reaches a server log. Allow scripts for this page.
        </p>
      </noscript>

      <section id="loading" hidden>
        <h1 tabindex="-1">Looking at your link…</h1>
      </section>

      <section id="invitation" hidden>
        <p class="eyebrow">API key invitation</p>
        <h1 tabindex="-1">A key for <span id="user"></span></h1>
        <p class="lead" id="lead"></p>
        <dl class="facts" id="facts"></dl>
        <p class="notice error" id="failure" hidden></p>
        <button class="button wide" id="claim" type="button">Make my key</button>
        <p class="hint">
          The key does not exist yet. It is made when you press the button and shown here once, so have a
          place for it ready.
        </p>
      </section>

      <section id="key" hidden>
        <p class="eyebrow">Made just now</p>
        <h1 tabindex="-1">Your API key</h1>
        <p class="lead">
          Store it now, in a password manager or your secret settings. It is never shown again.
        </p>
        <div class="secret">
          <div class="secret-head">
            <h2 id="key-label">Key</h2>
            <button class="button quiet small" type="button" data-copy="key-text" data-what="Key">
              <span>Copy</span><span class="sr-only"> the key</span>
            </button>
          </div>
          <code id="key-text" aria-labelledby="key-label" role="group"></code>
        </div>
        <div class="secret">
          <div class="secret-head">
            <h2 id="curl-label">Try it</h2>
            <button class="button quiet small" type="button" data-copy="curl-text" data-what="Command">
              <span>Copy</span><span class="sr-only"> the command</span>
            </button>
          </div>
          <code id="curl-text" aria-labelledby="curl-label" role="group"></code>
        </div>
        <button class="button wide" id="stored" type="button">I have stored it</button>
      </section>

      <section id="done" hidden>
        <h1 tabindex="-1">All done</h1>
        <p class="lead">
          The key is gone from this page, and the link has done its work. In lists and logs the key is called
          <code id="key-id"></code>, which is no secret.
        </p>
      </section>

      <section id="unusable" hidden>
        <h1 tabindex="-1">This link does not work</h1>
        <p class="lead">It may have been used, withdrawn, or cut off on its way to you, or its time is up.</p>
        <p class="hint">
          Ask whoever sent it for a new one. If you expected it to work, tell them that too: somebody else may
          have used it before you.
        </p>
      </section>

      <section id="nothing" hidden>
        <h1 tabindex="-1">Nothing to show here</h1>
        <p class="lead">
          Open the link once more from the message that it came in. A key that was already shown here is not
          shown again.
        </p>
      </section>
    </main>
    <p class="sr-only" id="spoken" role="status"></p>
    <p class="toast" id="toast" aria-hidden="true"></p>
  </body>
</html>
`,
  'claim.js': `import {
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

/** Resolves to the answer, to \`undefined\` where the link does not work, and rejects where nothing is known about it. */
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
        element('span', { className: 'muted' }, \`(\${distance(expiresAt)})\`),
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
`,
  'desk-client.js': `import { mount } from './page.js';

// The operator's key: in this variable for as long as the page is open, never in a cookie, a store of the browser or an address.
let operatorKey;

export const useKey = (key) => (operatorKey = key);

/** A refusal or a fault, with a sentence for the operator. */
export class DeskError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Asks the desk's own API. */
export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(new URL(\`api/\${path}\`, mount), {
      method,
      headers: { 'X-API-Key': operatorKey, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
  } catch {
    throw new DeskError(0, 'The service cannot be reached just now.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new DeskError(response.status, answer.detail ?? \`The service answered \${response.status}.\`);
  return answer;
}

/** A path with ids in it, whatever characters they hold. */
export const pathTo = (...parts) => parts.map(encodeURIComponent).join('/');

export function query(fields) {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return known.length > 0 ? \`?\${new URLSearchParams(known)}\` : '';
}
`,
  'desk-dialogs.js': `import { byId, element, wireCopyButtons } from './page.js';

const dialog = () => byId('dialog');

/** Whether what is shown would be lost with the dialog, so that Escape alone does not close it. */
let holdsSecret = false;

export function wireDialog() {
  dialog().addEventListener('cancel', (event) => holdsSecret && event.preventDefault());
  // Nothing that a dialog showed stays in the page.
  dialog().addEventListener('close', () => {
    holdsSecret = false;
    // They may have been used in it.
    document.body.append(byId('spoken'), byId('toast'));
    dialog().replaceChildren();
    // What opened it may be gone, and the keyboard would be nowhere.
    if (document.activeElement === document.body) document.querySelector('#desk h1').focus();
  });
}

export function closeDialog() {
  if (dialog().open) dialog().close();
}

function fill(title, ...content) {
  document.body.append(byId('spoken'), byId('toast'));
  dialog().replaceChildren(element('h2', { id: 'dialog-title', tabIndex: -1 }, title), ...content);
  if (!dialog().open) dialog().showModal();
}

/**
 * A form in the dialog. \`submit\` is given the form's data and either resolves, which closes the dialog unless it showed something
 * else in it, or rejects with what to say.
 */
export function openForm({ title, content, action, isDanger = false, submit }) {
  const problem = element('p', { className: 'notice error', role: 'alert', hidden: true });
  const button = element(
    'button',
    { className: \`button\${isDanger ? ' danger' : ''}\`, type: 'submit' },
    action,
  );
  const cancel = element(
    'button',
    { className: 'button quiet', type: 'button', onclick: closeDialog },
    'Cancel',
  );
  const form = element(
    'form',
    { noValidate: true },
    ...content,
    problem,
    element('div', { className: 'actions' }, cancel, button),
  );
  const run = async () => {
    problem.hidden = true;
    button.disabled = true;
    try {
      await submit(new FormData(form));
      if (form.isConnected) closeDialog();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  fill(title, form);
  // What cannot be taken back is not one careless key press away.
  (isDanger ? cancel : (form.querySelector('input, select') ?? button)).focus();
}

/** Shows a key or a link this one time; only its own button closes the dialog. */
export function showSecret({ title, lead, label, secret, done }) {
  const close = element('button', { className: 'button', type: 'button', onclick: closeDialog }, done);
  fill(
    title,
    element('p', { className: 'muted' }, lead),
    element(
      'div',
      { className: 'secret' },
      element(
        'div',
        { className: 'secret-head' },
        element('h3', { id: 'secret-label' }, label),
        element(
          'button',
          { className: 'button quiet small', type: 'button', 'data-copy': 'secret-text', 'data-what': label },
          element('span', {}, 'Copy'),
        ),
      ),
      element('code', { id: 'secret-text', role: 'group', 'aria-labelledby': 'secret-label' }, secret),
    ),
    element('div', { className: 'actions' }, close),
  );
  holdsSecret = true;
  wireCopyButtons(dialog());
  byId('dialog-title').focus();
}

export function field(label, control, hint) {
  const hintId = hint === undefined ? undefined : \`\${control.id}-hint\`;
  if (hintId !== undefined) control.setAttribute('aria-describedby', hintId);
  return element(
    'div',
    { className: 'field' },
    element('label', { htmlFor: control.id }, label),
    control,
    hint === undefined ? undefined : element('p', { className: 'hint', id: hintId }, hint),
  );
}

export function select(id, options, chosen) {
  const made = element('select', { id, name: id });
  for (const [value, label] of options)
    made.append(element('option', { value, selected: value === chosen }, label));
  return made;
}
`,
  'desk-forms.js': `import { ask, pathTo, useKey } from './desk-client.js';
import { field, openForm, select, showSecret } from './desk-dialogs.js';
import { announce, element } from './page.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const lifetimes = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['', 'Never'],
];
const linkLifetimes = [
  [String(hourMs), '1 hour'],
  [String(dayMs), '24 hours'],
  [String(7 * dayMs), '7 days'],
];
const overlaps = [
  ['0', 'Stops at once'],
  [String(hourMs), 'Works for 1 more hour'],
  [String(dayMs), 'Works for 1 more day'],
  [String(7 * dayMs), 'Works for 7 more days'],
  [String(30 * dayMs), 'Works for 30 more days'],
];

export function openNewKey(session, onChange) {
  const canLink = session.claimUrl !== undefined;
  const linkTtl = field('Link works for', select('link-ttl', linkLifetimes, String(dayMs)));
  openForm({
    title: 'New key',
    action: canLink ? 'Continue' : 'Create key',
    content: [
      element(
        'div',
        { className: 'pair' },
        field('User', textInput('user')),
        field('Name (optional)', textInput('name')),
      ),
      scopeFields(session.knownScopes),
      ...(canLink ? [handover((value) => (linkTtl.hidden = value !== 'link'))] : []),
      element(
        'div',
        { className: 'pair' },
        field('Key expires', select('expires', lifetimes, '90')),
        canLink ? linkTtl : undefined,
      ),
    ],
    async submit(data) {
      const user = data.get('user').trim();
      if (user === '') throw new Error('Say whose key it is.');
      const days = data.get('expires');
      const typed = data
        .get('scopes')
        .split(/[\\s,]+/)
        .filter(Boolean);
      const wanted = {
        user,
        ...(data.get('name').trim() !== '' && { name: data.get('name').trim() }),
        scopes: [...new Set([...data.getAll('known-scope'), ...typed])],
        ...(days !== '' && { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
      };
      if (data.get('handover') === 'link') await createLink(session, wanted, Number(data.get('link-ttl')));
      else await createKey(wanted);
      onChange();
    },
  });
}

const textInput = (id) =>
  element('input', { id, name: id, autocomplete: 'off', spellcheck: false, maxLength: 256 });

function scopeFields(knownScopes) {
  const typed = element('input', { id: 'scopes', name: 'scopes', autocomplete: 'off', spellcheck: false });
  const hint = 'Separated by blanks. Whoever has keys:manage may do all that you can do here.';
  if (knownScopes.length === 0) return field('Scopes', typed, hint);
  const boxes = knownScopes.map((value, index) => {
    const box = element('input', {
      type: 'checkbox',
      name: 'known-scope',
      value,
      id: \`known-scope-\${index}\`,
    });
    return element('label', { htmlFor: box.id }, box, element('code', {}, value));
  });
  return element(
    'fieldset',
    {},
    element('legend', {}, 'Scopes'),
    element('div', { className: 'chips' }, ...boxes),
    field('Other scopes', typed, hint),
  );
}

function handover(onChoice) {
  const choice = (value, label, hint) => {
    const input = element('input', {
      type: 'radio',
      name: 'handover',
      value,
      id: \`handover-\${value}\`,
      checked: value === 'link',
    });
    input.addEventListener('change', () => onChoice(value));
    return element(
      'label',
      { className: 'choice', htmlFor: input.id },
      input,
      element('span', {}, element('strong', {}, label), element('span', { className: 'hint' }, hint)),
    );
  };
  return element(
    'fieldset',
    {},
    element('legend', {}, 'Hand over'),
    choice(
      'link',
      'As a claim link',
      'The user makes the key by opening the link, once. Nobody else sees it.',
    ),
    choice('key', 'Show the key here', 'You see it once, and see to it that it arrives safely.'),
  );
}

async function createKey(wanted) {
  const { key, record } = await ask('POST', 'keys', wanted);
  showSecret({
    title: \`A key for \${record.user}\`,
    lead: 'Store it or hand it over now. It is never shown again.',
    label: 'Key',
    secret: key,
    done: 'I have stored it',
  });
}

async function createLink(session, wanted, claimTtlMs) {
  const { token, claim } = await ask('POST', 'claims', { ...wanted, claimTtlMs });
  const link = new URL(session.claimUrl, location.href);
  link.hash = token;
  const isPlain = link.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(link.hostname);
  showSecret({
    title: \`A claim link for \${claim.user}\`,
    lead: isPlain
      ? 'Careful: the claim page is reached over plain HTTP, where others on the way can read the key.'
      : 'Send it to its user alone: whoever opens it first is given the key. It works once.',
    label: 'Link',
    secret: link.href,
    done: 'I have sent it',
  });
}

export function openRotate(session, record, onChange) {
  const isOwn = record.keyId === session.keyId;
  openForm({
    title: 'Rotate key',
    action: 'Rotate key',
    content: [
      subject(record, 'A new key with the same owner, scopes and expiry takes over from'),
      ...(isOwn
        ? [warning('This is the key you are signed in with. The desk goes on with the new one; store it.')]
        : []),
      field('The old key', select('overlap', overlaps, String(dayMs))),
      field(
        'Counted from',
        select(
          'starts',
          [
            ['now', 'now'],
            ['first-use', 'the first use of the new key'],
          ],
          'now',
        ),
      ),
    ],
    async submit(data) {
      const options = { overlapMs: Number(data.get('overlap')), startsAt: data.get('starts') };
      const { key, record: made } = await ask('POST', pathTo('keys', record.keyId, 'rotate'), options);
      if (isOwn) {
        useKey(key);
        session.keyId = made.keyId;
      }
      showSecret({
        title: \`The new key of \${made.user}\`,
        lead: 'Store it or hand it over now. It is never shown again.',
        label: 'Key',
        secret: key,
        done: 'I have stored it',
      });
      onChange();
    },
  });
}

export function openRevoke(session, record, onChange) {
  const isOwn = record.keyId === session.keyId;
  const isLinked = record.replaces !== undefined || record.replacedBy !== undefined;
  const family = element('input', { type: 'checkbox', id: 'family', name: 'family' });
  openForm({
    title: 'Revoke key',
    action: 'Revoke key',
    isDanger: true,
    content: [
      subject(record, 'From now on nobody gets in with'),
      ...(isOwn
        ? [
            warning(
              'This is the key you are signed in with: you will be signed out and cannot come back with it.',
            ),
          ]
        : []),
      element('p', {}, 'This cannot be undone.'),
      ...(isLinked
        ? [
            element(
              'label',
              { className: 'check', htmlFor: 'family' },
              family,
              'Also every key that it took over from, or that took over from it',
            ),
          ]
        : []),
    ],
    async submit(data) {
      const options = { family: data.get('family') !== null };
      const { records } = await ask('POST', pathTo('keys', record.keyId, 'revoke'), options);
      announce(records.length > 1 ? \`\${records.length} keys revoked.\` : 'Key revoked.');
      onChange();
    },
  });
}

export function openWithdraw(claim, onChange) {
  openForm({
    title: 'Withdraw link',
    action: 'Withdraw link',
    isDanger: true,
    content: [
      element(
        'p',
        {},
        'The claim link for ',
        element('strong', {}, claim.user),
        ' stops working at once. It has not been used.',
      ),
    ],
    async submit() {
      await ask('POST', pathTo('claims', claim.claimId, 'withdraw'), {});
      announce('Link withdrawn.');
      onChange();
    },
  });
}

function subject({ user, name, keyId }, lead) {
  return element(
    'div',
    { className: 'subject' },
    element('p', { className: 'muted' }, lead),
    element('p', {}, element('strong', {}, user), name === undefined ? undefined : \` · \${name}\`),
    element('p', {}, element('code', {}, keyId)),
  );
}

const warning = (text) => element('p', { className: 'notice' }, text);
`,
  'desk-keys.js': `import { element, scopeList, time } from './page.js';

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

export const badge = (status) => element('span', { className: \`badge \${status}\` }, statusNames[status]);

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
    const what = \`\${name === undefined ? '' : \`\${name}, \`}\${keyId}\`;
    const action = (label, run, isDanger = false) =>
      element(
        'button',
        {
          className: \`button quiet small\${isDanger ? ' warns' : ''}\`,
          type: 'button',
          'aria-label': \`\${label} \${what} of \${user}\`,
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
`,
  'desk-links.js': `import { badge, cell, row, table } from './desk-keys.js';
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
                  'aria-label': \`Withdraw \${claimId} for \${user}\`,
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
`,
  'desk-lists.css': `table {
  width: 100%;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  border-spacing: 0;
  background: var(--surface);
}

th {
  padding: 0.7rem 1rem;
  border-bottom: 1px solid var(--line);
  color: var(--muted);
  font-size: 0.8125rem;
  font-weight: 600;
  text-align: left;
  white-space: nowrap;
}

td {
  padding: 0.85rem 1rem;
  border-bottom: 1px solid var(--line);
  font-size: 0.9375rem;
  vertical-align: top;
}

tbody tr:last-child td {
  border-bottom: 0;
}

td time,
td .muted {
  white-space: nowrap;
}

td div.muted {
  white-space: normal;
}

.owner {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0.1rem 0.5rem;
}

.owner strong {
  font-weight: 600;
}

.you {
  padding: 0 0.4rem;
  border-radius: 5px;
  background: var(--accent-soft);
  font-size: 0.75rem;
  font-weight: 600;
}

.key-id {
  display: block;
  color: var(--muted);
  font-size: 0.8125rem;
}

details {
  margin-top: 0.25rem;
  font-size: 0.8125rem;
}

summary {
  width: fit-content;
  color: var(--muted);
  cursor: pointer;
}

pre {
  max-width: min(24rem, 100%);
  max-height: 14rem;
  margin: 0.4rem 0 0;
  padding: 0.6rem 0.75rem;
  overflow: auto;
  border-radius: 8px;
  background: var(--sunken);
  font: 0.8125rem/1.5 var(--mono);
  white-space: pre-wrap;
}

.badge {
  display: inline-flex;
  align-items: center;
  gap: 0.4rem;
  padding: 0.1rem 0.6rem 0.1rem 0.5rem;
  border-radius: 999px;
  background: var(--sunken);
  color: var(--muted);
  font-size: 0.8125rem;
  font-weight: 600;
  white-space: nowrap;
}

.badge::before {
  width: 0.45rem;
  height: 0.45rem;
  border-radius: 50%;
  background: currentcolor;
  content: '';
}

.badge:is(.active, .open) {
  background: var(--good-soft);
  color: var(--good);
}

.badge:is(.expiring, .rotating) {
  background: var(--warn-soft);
  color: var(--warn);
}

.badge.revoked {
  background: var(--danger-soft);
  color: var(--danger);
}

.row-actions {
  display: flex;
  justify-content: flex-end;
  gap: 0.5rem;
}

.button.warns {
  color: var(--danger);
}

.empty {
  padding: 3.5rem 1rem;
  border: 1px dashed var(--line);
  border-radius: var(--radius);
  color: var(--muted);
  text-align: center;
}

.pages {
  display: flex;
  align-items: center;
  justify-content: flex-end;
  gap: 0.9rem;
  padding-top: 1rem;
  font-size: 0.9375rem;
}

.pages .button:disabled {
  cursor: default;
  opacity: 0.45;
}

.page-number:focus {
  outline: none;
}

.notice .button {
  margin-top: 0.6rem;
}

[aria-busy='true'] > * {
  opacity: 0.6;
}

/* Names and scopes break anywhere; without these the columns that do not would leave them a few letters. */
td:first-child {
  min-width: 11rem;
}

td:nth-child(3) {
  min-width: 9rem;
}

/* Where the table does not fit, each row is a card; its labels come from the cells. */
@media (width < 70rem) {
  table,
  tbody,
  tr,
  td {
    display: block;
  }

  table {
    border: 0;
    background: none;
  }

  tbody {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr));
    gap: 0.9rem;
  }

  thead {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
  }

  tr {
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }

  td {
    display: grid;
    grid-template-columns: 6rem 1fr;
    padding: 0.25rem 0;
    border: 0;
  }

  td::before {
    color: var(--muted);
    content: attr(data-label);
  }

  td > * {
    grid-column: 2;
    justify-self: start;
  }

  td:nth-child(3) {
    min-width: 0;
  }

  td:is(:first-child, :last-child) {
    display: block;
    min-width: 0;
  }

  td:is(:first-child, :last-child)::before {
    content: none;
  }

  td:first-child {
    padding-bottom: 0.6rem;
  }

  .row-actions {
    justify-content: flex-start;
    padding-top: 0.5rem;
  }

  .row-actions:empty {
    display: none;
  }
}
`,
  'desk.css': `.card {
  display: grid;
  gap: 1.25rem;
  max-width: 26rem;
  margin: clamp(1rem, 12vh, 8rem) auto;
  padding: clamp(1.5rem, 5vw, 2.5rem);
  border-radius: 16px;
  background: var(--surface);
  box-shadow: var(--shadow);
}

h1 {
  font-size: 1.625rem;
}

h2 {
  font-size: 1.25rem;
}

form {
  display: grid;
  gap: 1.1rem;
}

.hint {
  color: var(--muted);
  font-size: 0.875rem;
}

.field {
  display: grid;
  align-content: start;
  gap: 0.3rem;
}

.field label,
legend {
  padding: 0;
  font-size: 0.9375rem;
  font-weight: 600;
}

.field :is(input, select) {
  width: 100%;
  min-height: 2.75rem;
  padding: 0.45rem 0.75rem;
  border: 1px solid var(--field-line);
  border-radius: 8px;
  background: var(--surface);
}

.field ::placeholder {
  color: var(--muted);
  opacity: 1;
}

.field-error {
  color: var(--danger);
  font-size: 0.9375rem;
}

.field-error:empty {
  display: none;
}

/* The frame of the desk */
.top {
  border-bottom: 1px solid var(--line);
  background: var(--surface);
}

.top-inner,
main.wide {
  max-width: 78rem;
  margin: 0 auto;
  padding-inline: clamp(1rem, 3vw, 2rem);
}

.top-inner {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem 1.25rem;
  min-height: 3.75rem;
  padding-block: 0.6rem;
}

.brand {
  display: flex;
  align-items: center;
  gap: 0.65rem;
  margin-right: auto;
  font-weight: 600;
}

.brand img {
  flex: none;
}

.who {
  font-size: 0.9375rem;
}

@media (width < 40rem) {
  .who .muted {
    display: none;
  }
}

main.wide {
  padding-block: 2rem 5rem;
}

.title-row {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 1rem;
}

.tabs {
  display: flex;
  gap: 1.5rem;
  margin: 1.25rem 0 1.5rem;
  border-bottom: 1px solid var(--line);
}

.tabs button {
  margin-bottom: -1px;
  padding: 0.6rem 0.1rem;
  border: 0;
  border-bottom: 2px solid transparent;
  background: none;
  color: var(--muted);
  font-weight: 600;
  cursor: pointer;
}

.tabs [aria-selected='true'] {
  border-bottom-color: var(--accent);
  color: var(--text);
}

.filters {
  display: flex;
  flex-wrap: wrap;
  gap: 0.9rem 1rem;
  margin-bottom: 1.25rem;
}

.filters .grow {
  flex: 1 1 16rem;
  max-width: 28rem;
}

.filters .field:not(.grow) {
  flex: 0 1 11rem;
}

/* Dialogs */
dialog {
  width: min(31rem, calc(100vw - 2rem));
  max-height: calc(100dvh - 2rem);
  padding: clamp(1.25rem, 4vw, 2rem);
  overflow-y: auto;
  border: 1px solid var(--line);
  border-radius: 16px;
  background: var(--surface);
  color: var(--text);
  box-shadow: var(--shadow);
}

dialog::backdrop {
  background: rgb(12 16 26 / 55%);
}

dialog[open] {
  display: grid;
  gap: 1.1rem;
}

.actions {
  display: flex;
  flex-wrap: wrap;
  justify-content: flex-end;
  gap: 0.75rem;
  padding-top: 0.4rem;
}

.subject {
  display: grid;
  gap: 0.15rem;
}

.subject code {
  color: var(--muted);
}

fieldset {
  display: grid;
  gap: 0.5rem;
  min-width: 0;
  border: 0;
}

legend {
  margin-bottom: 0.4rem;
}

.choice {
  display: flex;
  gap: 0.75rem;
  padding: 0.75rem 0.9rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  cursor: pointer;
}

.choice:has(:checked) {
  border-color: var(--accent);
  background: var(--accent-soft);
}

:is(.choice, .check) input {
  margin-top: 0.2rem;
}

.choice span {
  display: grid;
}

.choice:has(:checked) .hint {
  color: var(--text);
}

.chips {
  display: flex;
  flex-wrap: wrap;
  gap: 0.4rem;
}

.chips label {
  display: flex;
  gap: 0.5rem;
  align-items: center;
  min-height: 2.25rem;
  padding: 0.2rem 0.75rem;
  border: 1px solid var(--line);
  border-radius: 8px;
  cursor: pointer;
}

.chips label:has(:checked) {
  border-color: var(--accent);
  background: var(--accent-soft);
}

.pair {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr));
  gap: 1rem;
}

.check {
  display: flex;
  gap: 0.6rem;
  align-items: baseline;
}

:is(.choice, .check, .chips) input {
  flex: none;
  width: 1.1rem;
  height: 1.1rem;
  margin: 0;
  accent-color: var(--accent);
}
`,
  'desk.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex, nofollow" />
    <meta name="referrer" content="no-referrer" />
    <meta name="color-scheme" content="light dark" />
    <title>Key desk</title>
    <link rel="icon" href="%base%icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="%base%base.css" />
    <link rel="stylesheet" href="%base%desk.css" />
    <link rel="stylesheet" href="%base%desk-lists.css" />
    <script type="module" src="%base%desk.js"></script>
  </head>
  <body>
    <noscript
      ><p class="notice error">The key desk needs JavaScript. Allow scripts for this page.</p></noscript
    >

    <main id="sign-in" class="card" hidden>
      <h1 tabindex="-1">Key desk</h1>
      <p class="muted">Sign in with a key that has the scope <code>keys:manage</code>.</p>
      <form id="sign-in-form" novalidate>
        <div class="field">
          <label for="operator-key">Your API key</label>
          <input
            id="operator-key"
            type="password"
            autocomplete="off"
            spellcheck="false"
            aria-describedby="sign-in-error sign-in-hint"
          />
          <p class="field-error" id="sign-in-error"></p>
        </div>
        <button class="button" type="submit">Sign in</button>
      </form>
      <p class="hint" id="sign-in-hint">
        It stays in this page's memory: closing or reloading the page signs you out.
      </p>
    </main>

    <div id="desk" hidden>
      <header class="top">
        <div class="top-inner">
          <p class="brand">
            <img src="%base%icon.svg" alt="" width="28" height="28" /><span id="api-name"></span>
          </p>
          <p class="who"><span class="muted">Signed in as</span> <strong id="who"></strong></p>
          <button class="button quiet small" id="sign-out" type="button">Sign out</button>
        </div>
      </header>
      <main class="wide">
        <div class="title-row">
          <h1 tabindex="-1">Key desk</h1>
          <button class="button" id="new-key" type="button">New key</button>
        </div>
        <div class="tabs" role="tablist" aria-label="What to show">
          <button id="tab-keys" type="button" role="tab" aria-controls="panel-keys" aria-selected="true">
            Keys
          </button>
          <button
            id="tab-links"
            type="button"
            role="tab"
            aria-controls="panel-links"
            aria-selected="false"
            tabindex="-1"
          >
            Claim links
          </button>
        </div>

        <section id="panel-keys" role="tabpanel" aria-labelledby="tab-keys">
          <form class="filters" id="key-filters" role="search">
            <div class="field grow">
              <label for="search">Search</label>
              <input
                id="search"
                type="search"
                maxlength="256"
                autocomplete="off"
                placeholder="User, name or key id"
              />
            </div>
            <div class="field">
              <label for="status-filter">Status</label>
              <select id="status-filter">
                <option value="">All</option>
                <option value="active">Usable</option>
                <option value="expiring">Expiring</option>
                <option value="rotating">Rotating</option>
                <option value="expired">Expired</option>
                <option value="revoked">Revoked</option>
              </select>
            </div>
          </form>
          <div id="keys-view" aria-busy="true"></div>
        </section>

        <section id="panel-links" role="tabpanel" aria-labelledby="tab-links" hidden>
          <form class="filters" id="link-filters">
            <div class="field">
              <label for="link-status-filter">Status</label>
              <select id="link-status-filter">
                <option value="open">Open</option>
                <option value="">All</option>
                <option value="used">Used</option>
                <option value="withdrawn">Withdrawn</option>
                <option value="expired">Expired</option>
              </select>
            </div>
          </form>
          <div id="links-view" aria-busy="true"></div>
        </section>
      </main>
    </div>

    <dialog id="dialog" aria-labelledby="dialog-title"></dialog>
    <p class="sr-only" id="spoken" role="status"></p>
    <p class="toast" id="toast" aria-hidden="true"></p>
  </body>
</html>
`,
  'desk.js': `import { ask, query, useKey } from './desk-client.js';
import { closeDialog, wireDialog } from './desk-dialogs.js';
import { openNewKey, openRevoke, openRotate, openWithdraw } from './desk-forms.js';
import { renderKeys } from './desk-keys.js';
import { renderLinks } from './desk-links.js';
import { byId, element, say } from './page.js';

let session;

/** One list on the desk: its filters, its place among the pages, and what it shows. */
class List {
  // The cursors of the pages before this one, so that there is a way back.
  #cursors = [];
  #turn = 0;

  constructor({ view, path, noun, filters, render }) {
    Object.assign(this, { view, path, noun, filters, render });
  }

  /** From the first page on, as after a change of the filters. */
  restart() {
    this.#cursors = [];
    return this.load();
  }

  async load({ isTurned = false, isQuiet = false } = {}) {
    const turn = ++this.#turn;
    this.view.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask('GET', this.path + query({ ...this.filters(), cursor: this.#cursors.at(-1) }));
      // A slow answer must not overwrite that of a later question.
      if (turn !== this.#turn || !session) return;
      this.#show(answer[this.path], answer.next, isQuiet);
      if (isTurned) this.view.querySelector('.pages')?.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      if (turn === this.#turn && session) this.#explain(error);
    } finally {
      if (turn === this.#turn) this.view.setAttribute('aria-busy', 'false');
    }
  }

  #show(items, next, isQuiet) {
    const page = this.#cursors.length + 1;
    if (items.length === 0 && page === 1) {
      const isFiltered = Object.values(this.filters()).some((value) => value !== '');
      const text = isFiltered ? \`No \${this.noun} like this.\` : \`No \${this.noun} yet.\`;
      this.#replace(element('p', { className: 'empty' }, text));
      if (!isQuiet) say(text);
      return;
    }
    const turnTo = (change) => () => {
      change();
      void this.load({ isTurned: true }).then(() =>
        byId(this.view.id).querySelector('.page-number')?.focus(),
      );
    };
    const button = (label, isOn, change) =>
      element(
        'button',
        { className: 'button quiet small', type: 'button', disabled: !isOn, onclick: turnTo(change) },
        label,
      );
    this.#replace(
      this.render(items),
      element(
        'nav',
        { className: 'pages', 'aria-label': \`Pages of \${this.noun}\` },
        button('Previous', page > 1, () => this.#cursors.pop()),
        element('span', { className: 'page-number', tabIndex: -1 }, \`Page \${page}\`),
        button('Next', next !== null, () => this.#cursors.push(next)),
      ),
    );
    if (!isQuiet) say(\`Page \${page}: \${items.length} \${this.noun}.\`);
  }

  /** The keyboard stays where it was in the list; where that is gone, it goes to the heading. */
  #replace(...content) {
    const focused = this.view.contains(document.activeElement) ? document.activeElement : undefined;
    const label = focused?.getAttribute('aria-label');
    this.view.replaceChildren(...content);
    if (!focused) return;
    const labelled = [...this.view.querySelectorAll('[aria-label]')];
    const same = labelled.find((each) => each.getAttribute('aria-label') === label);
    (same ?? byId('desk').querySelector('h1')).focus();
  }

  #explain(error) {
    if (error.status === 401 || error.status === 403) return signOut(error.message);
    // The record that the page began after may have been deleted meanwhile.
    if (error.status === 404 && this.#cursors.length > 0) return void this.restart();
    const again = element(
      'button',
      { className: 'button quiet small', type: 'button', onclick: () => void this.load() },
      'Try again',
    );
    this.#replace(
      element('div', { className: 'notice error', role: 'alert' }, element('p', {}, error.message), again),
    );
  }
}

const keys = new List({
  view: byId('keys-view'),
  path: 'keys',
  noun: 'keys',
  filters: () => ({ search: byId('search').value.trim(), status: byId('status-filter').value }),
  render: (items) =>
    renderKeys(items, session, {
      rotate: (record) => openRotate(session, record, refresh),
      revoke: (record) => openRevoke(session, record, refresh),
    }),
});

const links = new List({
  view: byId('links-view'),
  path: 'claims',
  noun: 'links',
  filters: () => ({ status: byId('link-status-filter').value }),
  render: (items) => renderLinks(items, { withdraw: (claim) => openWithdraw(claim, refresh) }),
});

/** After a change, which has been told of already. */
function refresh() {
  void keys.load({ isQuiet: true });
  if (session?.keepsClaims) void links.load({ isQuiet: true });
}

async function signIn(event) {
  event.preventDefault();
  const input = byId('operator-key');
  const key = input.value.trim();
  const refuse = (message) => {
    byId('sign-in-error').textContent = message;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  // A header cannot carry it, so it is no key; asking would only fail in a way that explains nothing.
  if (!/^[!-~]{1,512}$/.test(key)) return refuse('Enter your API key.');
  useKey(key);
  try {
    session = await ask('GET', 'session');
  } catch (error) {
    useKey(undefined);
    return refuse(error.message);
  }
  input.value = '';
  byId('sign-in-error').textContent = '';
  input.removeAttribute('aria-invalid');
  byId('api-name').textContent = session.apiName ?? location.host;
  byId('who').textContent = session.user;
  byId('tab-links').hidden = !session.keepsClaims;
  showDesk(true);
  choose('keys');
  void keys.restart();
  if (session.keepsClaims) void links.restart();
}

function showDesk(isSignedIn) {
  byId('desk').hidden = !isSignedIn;
  byId('sign-in').hidden = isSignedIn;
  (isSignedIn ? byId('desk').querySelector('h1') : byId('operator-key')).focus();
}

function signOut(message = '') {
  session = undefined;
  useKey(undefined);
  closeDialog();
  for (const { view } of [keys, links]) view.replaceChildren();
  for (const form of ['sign-in-form', 'key-filters', 'link-filters']) byId(form).reset();
  byId('sign-in-error').textContent = message;
  byId('toast').textContent = '';
  showDesk(false);
}

function choose(name, { takesFocus = false } = {}) {
  for (const each of ['keys', 'links']) {
    const [tab, isChosen] = [byId(\`tab-\${each}\`), each === name];
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    byId(\`panel-\${each}\`).hidden = !isChosen;
    if (isChosen && takesFocus) tab.focus();
  }
}

let typing;
byId('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => void keys.restart(), 200);
});
byId('status-filter').addEventListener('change', () => void keys.restart());
byId('link-status-filter').addEventListener('change', () => void links.restart());
for (const form of ['key-filters', 'link-filters'])
  byId(form).addEventListener('submit', (event) => event.preventDefault());
for (const name of ['keys', 'links']) byId(\`tab-\${name}\`).addEventListener('click', () => choose(name));
byId('desk')
  .querySelector('[role=tablist]')
  .addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key) || !session.keepsClaims) return;
    event.preventDefault();
    choose(byId('panel-keys').hidden ? 'keys' : 'links', { takesFocus: true });
  });
byId('new-key').addEventListener('click', () => openNewKey(session, refresh));
byId('sign-in-form').addEventListener('submit', (event) => void signIn(event));
byId('sign-out').addEventListener('click', () => signOut());
// A page that is left may be kept whole, to be shown again by "back".
addEventListener('pagehide', () => signOut());

wireDialog();
showDesk(false);
`,
  'icon.svg': `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="8" fill="#3d5a9e" />
  <g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
    <circle cx="12" cy="20" r="5" />
    <path d="M15.6 16.4 24 8m-3.4 3.4 3 3M17.8 14.2l2 2" />
  </g>
</svg>
`,
  'page.js': `// Shared by the pages. Whatever comes from elsewhere becomes text and attributes: nothing here parses HTML.

/** Where the page is mounted, whatever its address looks like. */
export const mount = new URL('./', import.meta.url);

export const byId = (id) => document.getElementById(id);

/** Makes an element; properties whose names have a hyphen, and \`role\`, become attributes. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name.includes('-') || name === 'role') made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Says something to those who hear the page. The same text twice is said twice. */
export function say(text) {
  const region = byId('spoken');
  region.textContent = '';
  // What is outside of an open dialog is neither heard nor shown.
  (document.querySelector('dialog[open]') ?? document.body).append(region);
  setTimeout(() => (region.textContent = text), 50);
}

let toastTimer;

/** Says something to those who hear the page, and shows it for a while to those who see it. */
export function announce(text) {
  say(text);
  const toast = byId('toast');
  toast.textContent = text;
  (document.querySelector('dialog[open]') ?? document.body).append(toast);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.textContent = ''), 4_000);
}

/** Copies the text of an element; where the browser does not let a page do that, it is left selected. */
export async function copyFrom(source, what) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    announce(\`\${what} copied.\`);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    const isCopied = document.execCommand('copy');
    announce(isCopied ? \`\${what} copied.\` : \`\${what} selected: copy it with your keyboard or menu.\`);
    return isCopied;
  }
}

/** Makes every button with \`data-copy\` copy the element of that id, and say so on itself for a while. */
export function wireCopyButtons(root = document) {
  for (const button of root.querySelectorAll('[data-copy]')) {
    const label = button.querySelector('span') ?? button;
    const text = label.textContent;
    const copy = async () => {
      if (!(await copyFrom(byId(button.dataset.copy), button.dataset.what))) return;
      label.textContent = 'Copied';
      setTimeout(() => (label.textContent = text), 2_000);
    };
    button.addEventListener('click', () => void copy());
  }
}

/** A \`curl\` line that a shell reads as it is meant, whatever the address holds. */
export function curlLine({ key, header, scheme, exampleUrl }) {
  const quote = (text) => \`'\${text.replaceAll("'", \`'\\\\''\`)}'\`;
  const value = scheme === undefined ? key : \`\${scheme} \${key}\`;
  // A host may hold what a shell runs, and a query its separators.
  return \`curl -H \${quote(\`\${header}: \${value}\`)} \${quote(new URL(exampleUrl, location.href).href)}\`;
}

const instantFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const distanceFormat = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const units = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  // "In 36 hours" says more than "tomorrow".
  ['day', 2 * 86_400_000, 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** An instant as its distance from now: "in 23 hours". */
export function distance(text) {
  const ms = new Date(text).getTime() - Date.now();
  const [unit, from, size = from] = units.find(([, least]) => Math.abs(ms) >= least * 0.95) ?? [
    'minute',
    60_000,
  ];
  return distanceFormat.format(Math.round(ms / size), unit);
}

/** A \`time\` element: the day, or the day and the minute, with the whole instant for those who point at it. */
export function time(text, { isExact = false, isDistance = false } = {}) {
  const date = new Date(text);
  const whole = instantFormat.format(date);
  const shown = isDistance ? distance(text) : isExact ? whole : dayFormat.format(date);
  return element('time', { dateTime: date.toISOString(), title: whole }, shown);
}

/** Scopes as a list of labels. */
export function scopeList(scopes) {
  return element(
    'ul',
    { className: 'scopes', role: 'list' },
    ...scopes.map((scope) => element('li', {}, element('code', {}, scope))),
  );
}
`,
} as const;

export type AssetName = keyof typeof assets;
