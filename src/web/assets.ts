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

/* Names are anybody's text: characters that turn the direction of writing must not turn what stands beside them. */
strong,
h1 span {
  unicode-bidi: isolate;
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

.lead:empty {
  display: none;
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
        <h1>This page needs JavaScript</h1>
        <p class="lead">
          A script reads your link, so that the link never reaches a server log. Allow scripts for this page.
        </p>
      </noscript>

      <section id="loading" hidden>
        <h1 tabindex="-1">Checking your link…</h1>
      </section>

      <section id="invitation" hidden>
        <p class="eyebrow">API key invitation</p>
        <h1 tabindex="-1">A key for <span id="user"></span></h1>
        <p class="lead" id="lead"></p>
        <dl class="facts" id="facts"></dl>
        <p class="notice error" id="failure" hidden></p>
        <button class="button wide" id="claim" type="button">Make my key</button>
        <p class="hint" id="promise">
          The key does not exist yet. It is made when you press the button, and shown here only once. Decide
          first where you will store it.
        </p>
      </section>

      <section id="key" hidden>
        <p class="eyebrow">Made just now</p>
        <h1 tabindex="-1">Your API key</h1>
        <p class="lead">Store it now, for example in a password manager. It will not be shown again.</p>
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
          The key is no longer on this page, and the link no longer works. In lists and logs the key is called
          <code id="key-id"></code>. This name is not secret.
        </p>
      </section>

      <section id="unusable" hidden>
        <h1 tabindex="-1">This link does not work</h1>
        <p class="lead">It is incomplete, has been used or withdrawn, or has expired.</p>
        <p class="hint">
          Ask the person who sent it for a new one. If you have not used it yourself, tell them: someone else
          may have used it.
        </p>
      </section>

      <section id="nothing" hidden>
        <h1 tabindex="-1">Nothing to show here</h1>
        <p class="lead">
          Open the link again from the message that you received. A key that was shown here once is not shown
          again.
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

const states = ['loading', 'invitation', 'key', 'done', 'unusable', 'nothing'];

// The token and the key are in these two variables and in the page itself, for as long as they are needed, and nowhere else.
let token = takeToken();
let keyId = '';

/** What the one button of the invitation does now. */
let runAction = () => {};

/** Reads the token out of the address and takes it away there: screens, "back" and reloads are not to have it. */
function takeToken() {
  const text = location.hash.slice(1);
  if (location.hash !== '' || location.search !== '') history.replaceState(null, '', location.pathname);
  return text;
}

function show(state, title) {
  for (const each of states) getById(each).hidden = each !== state;
  document.title = title;
  focusHeading(getById(state));
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

/** Whether the answer with the key is awaited: nothing else may take its place on the page. */
let isClaiming = false;

async function open() {
  if (token === '') return show('nothing', 'Nothing to show');
  show('loading', 'API key invitation');
  const openedToken = token;
  try {
    const invitation = await post('describe');
    // Another link may have been opened meanwhile, or this one used.
    if (openedToken !== token) return;
    if (invitation) showInvitation(invitation);
    else refuse();
  } catch {
    if (openedToken !== token) return;
    // What is there may be of a link that was opened before.
    getById('invitation').querySelector('h1').textContent = 'Your invitation';
    for (const id of ['lead', 'facts']) getById(id).replaceChildren();
    fail('The service cannot be reached right now. Your link has not been used.', open);
  }
}

function showInvitation({ user, name, scopes, keyExpiresAt, expiresAt, apiName = location.host, invitedBy }) {
  getById('invitation')
    .querySelector('h1')
    .replaceChildren('A key for ', createElement('span', { id: 'user' }, user));
  const strong = (text) => createElement('strong', {}, text);
  getById('lead').replaceChildren(
    ...(invitedBy === undefined
      ? ['You are invited to use ', strong(apiName), '.']
      : [strong(invitedBy), ' invites you to use ', strong(apiName), '.']),
  );
  const facts = [
    name === undefined ? undefined : ['Name', name],
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
        createElement('span', { className: 'muted' }, \`(\${formatDistance(expiresAt)})\`),
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
  } catch {
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
  show('unusable', 'This link does not work');
}

function showKey(made) {
  token = '';
  keyId = made.keyId;
  getById('key-text').textContent = made.key;
  getById('curl-text').textContent = formatCurlLine(made);
  addEventListener('beforeunload', warnBeforeLoss);
  show('key', 'Your API key');
}

/** Whoever closes the page by mistake has lost the key. */
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
  const next = takeToken();
  if (isClaiming || !getById('key').hidden)
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

export function setOperatorKey(key) {
  operatorKey = key;
}

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
    throw new DeskError(0, 'The service cannot be reached right now.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new DeskError(response.status, answer.detail ?? \`The service answered \${response.status}.\`);
  return answer;
}

/** A path with ids in it, whatever characters they hold. */
export const toPath = (...parts) => parts.map(encodeURIComponent).join('/');

export function toQueryString(fields) {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return known.length > 0 ? \`?\${new URLSearchParams(known)}\` : '';
}
`,
  'desk-dialogs.js': `import { FieldError, markField } from './desk-fields.js';
import { createElement, focusHeading, getById, wireCopyButtons } from './page.js';

const dialog = getById('dialog');

/** Whether what is shown would be lost with the dialog, so that Escape alone does not close it. */
let holdsSecret = false;

export function wireDialog() {
  dialog.addEventListener('cancel', (event) => holdsSecret && event.preventDefault());
  // Nothing that a dialog showed stays in the page.
  dialog.addEventListener('close', () => {
    holdsSecret = false;
    fillDialog();
    // What opened it may be gone, and the keyboard would be nowhere.
    if (document.activeElement === document.body) focusHeading(getById('desk'));
  });
}

export function closeDialog() {
  if (dialog.open) dialog.close();
}

function fillDialog(...content) {
  // These may have been moved into the dialog, and outlive what it shows.
  document.body.append(getById('spoken'), getById('toast'));
  dialog.replaceChildren(...content);
}

function openDialog(title, ...content) {
  fillDialog(createElement('h2', { id: 'dialog-title', tabIndex: -1 }, title), ...content);
  if (!dialog.open) dialog.showModal();
}

/**
 * A form in the dialog. \`submit\` is given the form's data. It resolves to \`undefined\`, which closes the dialog, or to the secret to
 * show in it, see \`showSecret\`; or it rejects with what to say, beside a field where that is a \`FieldError\`.
 */
export function openForm({ title, content, action, isDanger = false, submit }) {
  const problem = createElement('p', { className: 'notice error', role: 'alert', hidden: true });
  const button = createElement(
    'button',
    { className: \`button\${isDanger ? ' danger' : ''}\`, type: 'submit' },
    action,
  );
  const cancel = createElement(
    'button',
    { className: 'button quiet', type: 'button', onclick: closeDialog },
    'Cancel',
  );
  const form = createElement(
    'form',
    { noValidate: true },
    ...content,
    problem,
    createElement('div', { className: 'actions' }, cancel, button),
  );
  const explain = (error) => {
    if (error instanceof FieldError) {
      markField(form, error);
      return;
    }
    problem.textContent = error.message;
    problem.hidden = false;
  };
  const run = async () => {
    problem.hidden = true;
    markField(form);
    button.disabled = true;
    try {
      const secret = await submit(new FormData(form));
      if (secret) showSecret(secret);
      // Where it was cancelled meanwhile, the dialog may already hold another form.
      else if (form.isConnected) closeDialog();
    } catch (error) {
      explain(error);
    } finally {
      button.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  openDialog(title, form);
  // What cannot be undone is not one careless key press away.
  (isDanger ? cancel : (form.querySelector('input, select') ?? button)).focus();
}

/** Shows a key or a link this one time; only its own button closes the dialog. */
function showSecret({ title, lead, warning, label, secret, done }) {
  const copy = createElement(
    'button',
    { className: 'button quiet small', type: 'button', 'data-copy': 'secret-text', 'data-what': label },
    createElement('span', {}, 'Copy'),
  );
  openDialog(
    title,
    createElement('p', { className: 'muted' }, lead),
    ...(warning === undefined ? [] : [createWarning(warning)]),
    createElement(
      'div',
      { className: 'secret' },
      createElement(
        'div',
        { className: 'secret-head' },
        createElement('h3', { id: 'secret-label' }, label),
        copy,
      ),
      createElement('code', { id: 'secret-text', role: 'group', 'aria-labelledby': 'secret-label' }, secret),
    ),
    createElement(
      'div',
      { className: 'actions' },
      createElement('button', { className: 'button', type: 'button', onclick: closeDialog }, done),
    ),
  );
  holdsSecret = true;
  wireCopyButtons(dialog);
  getById('dialog-title').focus();
}

export const createWarning = (text) => createElement('p', { className: 'notice' }, text);
`,
  'desk-fields.js': `import { createElement } from './page.js';

/** What is wrong with one field of a form, to be said beside it. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** A control with its label, a hint if there is one, and room for what is wrong with it. */
export function createField(label, control, hint) {
  const [errorId, hintId] = [\`\${control.id}-error\`, \`\${control.id}-hint\`];
  control.setAttribute('aria-describedby', hint === undefined ? errorId : \`\${errorId} \${hintId}\`);
  return createElement(
    'div',
    { className: 'field' },
    createElement('label', { htmlFor: control.id }, label),
    control,
    createElement('p', { className: 'field-error', id: errorId }),
    hint === undefined ? undefined : createElement('p', { className: 'hint', id: hintId }, hint),
  );
}

/** Marks the one field that is wrong and goes there; without an error no field is marked. */
export function markField(form, error) {
  for (const control of form.querySelectorAll('[aria-invalid]')) control.removeAttribute('aria-invalid');
  for (const each of form.querySelectorAll('.field-error')) each.textContent = '';
  if (!error) return;
  const control = form.elements[error.field];
  form.querySelector(\`#\${control.id}-error\`).textContent = error.message;
  control.setAttribute('aria-invalid', 'true');
  control.focus();
}

export function createTextInput(id, { maxLength } = {}) {
  return createElement('input', { id, name: id, autocomplete: 'off', spellcheck: false, maxLength });
}

export function createSelect(id, options, chosen) {
  const made = createElement('select', { id, name: id });
  for (const [value, label] of options)
    made.append(createElement('option', { value, selected: value === chosen }, label));
  return made;
}

/** One of several radio buttons of the same name, with a sentence about it. */
export function createChoice({ name, value, isChosen, label, hint, onChoose }) {
  const input = createElement('input', {
    type: 'radio',
    name,
    value,
    id: \`\${name}-\${value}\`,
    checked: isChosen,
    onchange: onChoose,
  });
  return createElement(
    'label',
    { className: 'choice', htmlFor: input.id },
    input,
    createElement(
      'span',
      {},
      createElement('strong', {}, label),
      createElement('span', { className: 'hint' }, hint),
    ),
  );
}
`,
  'desk-forms.js': `import { ask, toPath } from './desk-client.js';
import { createWarning, openForm } from './desk-dialogs.js';
import { createChoice, createField, createSelect, createTextInput, FieldError } from './desk-fields.js';
import { announce, createElement } from './page.js';

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
const overlapStarts = [
  ['now', 'now'],
  ['first-use', 'the first use of the new key'],
];

export function openNewKey({ knownScopes, claimUrl }, { onChange }) {
  const canLink = claimUrl !== undefined;
  const linkTtl = createField('Link works for', createSelect('link-ttl', linkLifetimes, String(dayMs)));
  openForm({
    title: 'New key',
    action: canLink ? 'Continue' : 'Create key',
    content: [
      createElement(
        'div',
        { className: 'pair' },
        createField('User', createTextInput('user', { maxLength: 256 })),
        createField('Name (optional)', createTextInput('name', { maxLength: 256 })),
      ),
      createScopeFields(knownScopes),
      ...(canLink ? [createHandoverChoice((isLink) => (linkTtl.hidden = !isLink))] : []),
      createElement(
        'div',
        { className: 'pair' },
        createField('Key expires', createSelect('expires', lifetimes, '90')),
        canLink ? linkTtl : undefined,
      ),
    ],
    async submit(data) {
      const wanted = readNewKey(data);
      const secret =
        data.get('handover') === 'link'
          ? await createLink(wanted, { claimUrl, claimTtlMs: Number(data.get('link-ttl')) })
          : await createKey(wanted);
      onChange();
      return secret;
    },
  });
}

function createScopeFields(knownScopes) {
  const typed = createTextInput('scopes');
  const hint = 'Separated by spaces. A key with keys:manage can do everything that you can do here.';
  if (knownScopes.length === 0) return createField('Scopes', typed, hint);
  const boxes = knownScopes.map((value, index) => {
    const id = \`known-scope-\${index}\`;
    return createElement(
      'label',
      { htmlFor: id },
      createElement('input', { type: 'checkbox', name: 'known-scope', value, id }),
      createElement('code', {}, value),
    );
  });
  return createElement(
    'fieldset',
    {},
    createElement('legend', {}, 'Scopes'),
    createElement('div', { className: 'chips' }, ...boxes),
    createField('Other scopes', typed, hint),
  );
}

function createHandoverChoice(onChoose) {
  return createElement(
    'fieldset',
    {},
    createElement('legend', {}, 'Hand over'),
    createChoice({
      name: 'handover',
      value: 'link',
      isChosen: true,
      label: 'As a claim link',
      hint: 'The user opens the link and makes the key, once. Nobody else sees it.',
      onChoose: () => onChoose(true),
    }),
    createChoice({
      name: 'handover',
      value: 'key',
      isChosen: false,
      label: 'Show the key here',
      hint: 'You see it once and must deliver it safely.',
      onChoose: () => onChoose(false),
    }),
  );
}

function readNewKey(data) {
  const [user, name] = [data.get('user').trim(), data.get('name').trim()];
  if (user === '') throw new FieldError('user', 'Enter the user of the key.');
  const days = data.get('expires');
  const typed = data
    .get('scopes')
    .split(/[\\s,]+/)
    .filter(Boolean);
  return {
    user,
    ...(name !== '' && { name }),
    scopes: [...new Set([...data.getAll('known-scope'), ...typed])],
    ...(days !== '' && { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
  };
}

async function createKey(wanted) {
  const { key, record } = await ask('POST', 'keys', wanted);
  return describeNewKey(\`A key for \${record.user}\`, key);
}

const describeNewKey = (title, key) => ({
  title,
  lead: 'Store it or deliver it now. It will not be shown again.',
  label: 'Key',
  secret: key,
  done: 'I have stored it',
});

async function createLink(wanted, { claimUrl, claimTtlMs }) {
  const { token, claim } = await ask('POST', 'claims', { ...wanted, claimTtlMs });
  const link = new URL(claimUrl, location.href);
  link.hash = token;
  return {
    title: \`A claim link for \${claim.user}\`,
    lead: 'Send it only to this user: the first person who uses it gets the key. It works once.',
    warning:
      link.protocol === 'http:' && !isLoopback(link.hostname)
        ? 'The claim page uses plain HTTP: others on the network can read the key.'
        : undefined,
    label: 'Link',
    secret: link.href,
    done: 'I have sent it',
  };
}

/** Whether a host is this machine itself, so that nobody is on the way to it. */
const isLoopback = (hostname) => /^((.+\\.)?localhost|127(\\.\\d+){3}|\\[::1\\])$/.test(hostname);

export function openRotate(record, { isOwn, onChange }) {
  openForm({
    title: 'Rotate key',
    action: 'Rotate key',
    content: [
      describeKey(record, 'A new key with the same user, scopes and expiry replaces'),
      ...(isOwn
        ? [
            createWarning(
              'You are signed in with this key. The desk continues with the new key, which you must store.',
            ),
          ]
        : []),
      createField('The old key', createSelect('overlap', overlaps, String(dayMs))),
      createField('Counted from', createSelect('starts', overlapStarts, 'now')),
    ],
    async submit(data) {
      const options = { overlapMs: Number(data.get('overlap')), startsAt: data.get('starts') };
      const { key, record: made } = await ask('POST', toPath('keys', record.keyId, 'rotate'), options);
      onChange(isOwn ? { operator: { key, keyId: made.keyId } } : {});
      return describeNewKey(\`The new key of \${made.user}\`, key);
    },
  });
}

export function openRevoke(record, { isOwn, onChange }) {
  const isLinked = record.replaces !== undefined || record.replacedBy !== undefined;
  openForm({
    title: 'Revoke key',
    action: 'Revoke key',
    isDanger: true,
    content: [
      describeKey(record, 'This key stops working at once:'),
      ...(isOwn
        ? [
            createWarning(
              'You are signed in with this key: you will be signed out and cannot sign in with it again.',
            ),
          ]
        : []),
      createElement('p', {}, 'This cannot be undone.'),
      ...(isLinked
        ? [
            createElement(
              'label',
              { className: 'check', htmlFor: 'family' },
              createElement('input', { type: 'checkbox', id: 'family', name: 'family' }),
              'Also revoke the keys that it replaced, and those that replaced it',
            ),
          ]
        : []),
    ],
    async submit(data) {
      const options = { family: data.get('family') !== null };
      const { records } = await ask('POST', toPath('keys', record.keyId, 'revoke'), options);
      announce(records.length > 1 ? \`\${records.length} keys revoked.\` : 'Key revoked.');
      onChange();
    },
  });
}

export function openWithdraw(claim, { onChange }) {
  openForm({
    title: 'Withdraw link',
    action: 'Withdraw link',
    isDanger: true,
    content: [
      createElement(
        'p',
        {},
        'The claim link for ',
        createElement('strong', {}, claim.user),
        ' stops working at once. It has not been used.',
      ),
    ],
    async submit() {
      await ask('POST', toPath('claims', claim.claimId, 'withdraw'), {});
      announce('Link withdrawn.');
      onChange();
    },
  });
}

function describeKey({ user, name, keyId }, lead) {
  return createElement(
    'div',
    { className: 'subject' },
    createElement('p', { className: 'muted' }, lead),
    createElement('p', {}, createElement('strong', {}, user), name === undefined ? undefined : \` · \${name}\`),
    createElement('p', {}, createElement('code', {}, keyId)),
  );
}
`,
  'desk-keys.js': `import {
  createActionButton,
  createActionsCell,
  createCell,
  createMuted,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUserCell,
} from './desk-table.js';
import { createElement, createTime } from './page.js';

export function renderKeys(keys, { operatorKeyId, rotate, revoke }) {
  const rows = keys.map((record) => {
    const { keyId, user, name, scopes, status, lastUsedAt, createdAt, revokedAt, replacedBy } = record;
    const isUsable = status !== 'revoked' && status !== 'expired';
    const subject = \`\${name === undefined ? '' : \`\${name}, \`}\${keyId} of \${user}\`;
    const mark = keyId === operatorKeyId ? 'your key' : undefined;
    return createRow(
      createUserCell('User', { user, name, id: keyId, mark }, describeMetadata(record)),
      createStatusCell(status),
      createScopesCell(scopes),
      createCell(
        'Last used',
        lastUsedAt === undefined ? createMuted('never') : createTime(lastUsedAt, { isDistance: true }),
      ),
      createCell('Created', createTime(createdAt)),
      createCell(...describeEnd(record)),
      createActionsCell(
        isUsable && replacedBy === undefined
          ? createActionButton('Rotate', { subject, onPress: () => rotate(record) })
          : undefined,
        revokedAt === undefined
          ? createActionButton('Revoke', { subject, isDanger: true, onPress: () => revoke(record) })
          : undefined,
      ),
    );
  });
  return createTable('Keys', ['User', 'Status', 'Scopes', 'Last used', 'Created', 'Ends'], rows);
}

function describeMetadata({ metadata }) {
  if (Object.keys(metadata).length === 0) return undefined;
  return createElement(
    'details',
    {},
    createElement('summary', {}, 'Metadata'),
    createElement('pre', { tabIndex: 0 }, JSON.stringify(metadata, null, 2)),
  );
}

/** The label and the content of the cell that says when a key ends or has ended. */
function describeEnd({ status, revokedAt, expiresAt }) {
  if (revokedAt !== undefined) return ['Revoked', createTime(revokedAt)];
  if (expiresAt === undefined) return ['Expires', createMuted('never')];
  return [status === 'expired' ? 'Expired' : 'Expires', createTime(expiresAt)];
}
`,
  'desk-links.js': `import {
  createActionButton,
  createActionsCell,
  createCell,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUserCell,
} from './desk-table.js';
import { createElement, createTime } from './page.js';

export function renderLinks(claims, { withdraw }) {
  const rows = claims.map((claim) => {
    const { claimId, user, name, scopes, status, createdAt } = claim;
    return createRow(
      createUserCell('User', { user, name, id: claimId }),
      createStatusCell(status),
      createScopesCell(scopes),
      createCell('Created', createTime(createdAt, { isExact: true })),
      createCell(...describeEnd(claim)),
      createActionsCell(
        status === 'open'
          ? createActionButton('Withdraw', {
              subject: \`\${claimId} for \${user}\`,
              isDanger: true,
              onPress: () => withdraw(claim),
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
    return ['Used', createExact(claimedAt), createElement('code', { className: 'record-id' }, keyId)];
  if (status === 'withdrawn') return ['Withdrawn', createExact(revokedAt)];
  return [status === 'open' ? 'Works until' : 'Expired', createExact(expiresAt)];
}
`,
  'desk-list.js': `import { ask, toQueryString } from './desk-client.js';
import { createElement, focusHeading, getById, say } from './page.js';

/**
 * One list on the desk: its filters, its place among the pages, and what it shows. It asks \`isSignedIn\` before it shows an answer,
 * and tells \`onRefused\` why the operator's key is no longer accepted.
 */
export class List {
  #options;
  // The cursors of the pages before this one, so that there is a way back.
  #cursors = [];
  #turn = 0;

  constructor({ view, path, noun, readFilters, render, isSignedIn, onRefused }) {
    this.#options = { view, path, noun, readFilters, render, isSignedIn, onRefused };
  }

  /** From the first page on, as after a change of the filters. */
  restart({ isQuiet = false } = {}) {
    this.#cursors = [];
    return this.load({ isQuiet });
  }

  async load({ isTurned = false, isQuiet = false } = {}) {
    const { view, path, readFilters, isSignedIn } = this.#options;
    const turn = ++this.#turn;
    view.setAttribute('aria-busy', 'true');
    try {
      const fields = { ...readFilters(), cursor: this.#cursors.at(-1) };
      const answer = await ask('GET', path + toQueryString(fields));
      // A slow answer must not overwrite that of a later question.
      if (turn !== this.#turn || !isSignedIn()) return;
      this.#show(answer[path], answer.next, isQuiet);
      if (isTurned) view.querySelector('.pages')?.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      if (turn === this.#turn && isSignedIn()) this.#explain(error);
    } finally {
      if (turn === this.#turn) view.setAttribute('aria-busy', 'false');
    }
  }

  clear() {
    this.#options.view.replaceChildren();
  }

  #show(items, next, isQuiet) {
    const { noun, readFilters, render } = this.#options;
    const page = this.#cursors.length + 1;
    if (items.length === 0 && page === 1) {
      const isFiltered = Object.values(readFilters()).some((value) => value !== '');
      const text = isFiltered ? \`No matching \${noun}.\` : \`No \${noun} yet.\`;
      this.#replace(createElement('p', { className: 'empty' }, text));
      if (!isQuiet) say(text);
      return;
    }
    const isWhole = page === 1 && next === null;
    this.#replace(render(items), isWhole ? undefined : this.#createPageButtons(page, next));
    const count = \`\${items.length} \${items.length === 1 ? noun.slice(0, -1) : noun}.\`;
    if (!isQuiet) say(isWhole ? count : \`Page \${page}: \${count}\`);
  }

  #createPageButtons(page, next) {
    const { view, noun } = this.#options;
    const turn = async (change) => {
      change();
      await this.load({ isTurned: true });
      view.querySelector('.page-number')?.focus();
    };
    const createButton = (label, isOn, change) =>
      createElement(
        'button',
        {
          className: 'button quiet small',
          type: 'button',
          disabled: !isOn,
          onclick: () => void turn(change),
        },
        label,
      );
    return createElement(
      'nav',
      { className: 'pages', 'aria-label': \`Pages of \${noun}\` },
      createButton('Previous', page > 1, () => this.#cursors.pop()),
      createElement('span', { className: 'page-number', tabIndex: -1 }, \`Page \${page}\`),
      createButton('Next', next !== null, () => this.#cursors.push(next)),
    );
  }

  /** The keyboard stays where it was in the list; where that is gone, it goes to the heading. */
  #replace(...content) {
    const { view } = this.#options;
    const focused = view.contains(document.activeElement) ? document.activeElement : undefined;
    const label = focused?.getAttribute('aria-label');
    view.replaceChildren(...content.filter((each) => each !== undefined));
    if (!focused) return;
    const labelled = [...view.querySelectorAll('[aria-label]')];
    const same = labelled.find((each) => each.getAttribute('aria-label') === label);
    if (same) same.focus();
    else focusHeading(getById('desk'));
  }

  #explain(error) {
    if (error.status === 401 || error.status === 403) {
      this.#options.onRefused(error.message);
      return;
    }
    // The record that the page began after may have been deleted meanwhile.
    if (error.status === 404 && this.#cursors.length > 0) {
      void this.restart();
      return;
    }
    const again = createElement(
      'button',
      { className: 'button quiet small', type: 'button', onclick: () => void this.load() },
      'Try again',
    );
    this.#replace(
      createElement(
        'div',
        { className: 'notice error', role: 'alert' },
        createElement('p', {}, error.message),
        again,
      ),
    );
  }
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

.user {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0.1rem 0.5rem;
}

.user strong {
  font-weight: 600;
}

.mark {
  padding: 0 0.4rem;
  border-radius: 5px;
  background: var(--accent-soft);
  font-size: 0.75rem;
  font-weight: 600;
}

.record-id {
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

@media (width >= 78rem) {
  td:first-child {
    min-width: 15rem;
  }
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
  'desk-table.js': `import { createElement, createScopeList } from './page.js';

const statusNames = {
  active: 'Active',
  expiring: 'Expiring',
  rotating: 'Rotating',
  expired: 'Expired',
  revoked: 'Revoked',
  open: 'Open',
  used: 'Used',
  withdrawn: 'Withdrawn',
};

/** A table that becomes a list of cards on a phone; the roles keep it a table for screen readers there. The last column is for buttons. */
export function createTable(label, headings, rows) {
  const createHeading = (heading) => createElement('th', { role: 'columnheader', scope: 'col' }, heading);
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
      createElement('strong', {}, ...allowBreaks(user)),
      mark === undefined ? undefined : createElement('span', { className: 'mark' }, mark),
    ),
    name === undefined ? undefined : createElement('div', { className: 'muted' }, name),
    createElement('code', { className: 'record-id' }, id),
    ...more,
  );
}

/** A user is often a mail address: it may break after its dots and its \`@\`, rather than within a word. */
function allowBreaks(text) {
  const [first, ...others] = text.split(/(?<=[@.])/);
  return [first, ...others.flatMap((part) => [createElement('wbr'), part])];
}

export function createStatusCell(status) {
  return createCell('Status', createElement('span', { className: \`badge \${status}\` }, statusNames[status]));
}

export function createScopesCell(scopes) {
  return createCell('Scopes', scopes.length > 0 ? createScopeList(scopes) : createMuted('none'));
}

export function createActionsCell(...buttons) {
  return createCell('', createElement('div', { className: 'row-actions' }, ...buttons));
}

/** A button in a row; \`subject\` tells it from the buttons of other rows for those who hear the page. */
export function createActionButton(label, { subject, isDanger = false, onPress }) {
  return createElement(
    'button',
    {
      className: \`button quiet small\${isDanger ? ' warns' : ''}\`,
      type: 'button',
      'aria-label': \`\${label} \${subject}\`,
      onclick: onPress,
    },
    label,
  );
}

export const createMuted = (text) => createElement('span', { className: 'muted' }, text);
`,
  'desk.css': `.card {
  display: grid;
  gap: 1.25rem;
  width: min(26rem, calc(100% - 2rem));
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

.field [aria-invalid='true'] {
  border-color: var(--danger);
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

@media (width < 40rem) {
  .filters .field:not(.grow) {
    flex-grow: 1;
  }
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
        The key is kept only in this page. Closing or reloading the page signs you out.
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
  'desk.js': `import { ask, setOperatorKey } from './desk-client.js';
import { closeDialog, wireDialog } from './desk-dialogs.js';
import { openNewKey, openRevoke, openRotate, openWithdraw } from './desk-forms.js';
import { renderKeys } from './desk-keys.js';
import { renderLinks } from './desk-links.js';
import { List } from './desk-list.js';
import { focusHeading, getById } from './page.js';

/** Who is signed in, and what the desk offers; \`undefined\` while nobody is. */
let session;

const isSignedIn = () => session !== undefined;
const isOwn = ({ keyId }) => keyId === session.keyId;

const keys = new List({
  view: getById('keys-view'),
  path: 'keys',
  noun: 'keys',
  readFilters: () => ({ search: getById('search').value.trim(), status: getById('status-filter').value }),
  render: (items) =>
    renderKeys(items, {
      operatorKeyId: session.keyId,
      rotate: (record) => openRotate(record, { isOwn: isOwn(record), onChange: refresh }),
      revoke: (record) => openRevoke(record, { isOwn: isOwn(record), onChange: refresh }),
    }),
  isSignedIn,
  onRefused: signOut,
});

const links = new List({
  view: getById('links-view'),
  path: 'claims',
  noun: 'links',
  readFilters: () => ({ status: getById('link-status-filter').value }),
  render: (items) => renderLinks(items, { withdraw: (claim) => openWithdraw(claim, { onChange: refresh }) }),
  isSignedIn,
  onRefused: signOut,
});

/** After a change, which has already been announced; \`operator\` is what the operator has been given in place of their own key. */
function refresh({ operator } = {}) {
  // Whoever signed out meanwhile stays signed out.
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
  // A header cannot carry it, so it is no key; asking would only fail in a way that explains nothing.
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
    const [tab, isChosen] = [getById(\`tab-\${each}\`), each === name];
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    getById(\`panel-\${each}\`).hidden = !isChosen;
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
for (const name of ['keys', 'links']) getById(\`tab-\${name}\`).addEventListener('click', () => chooseTab(name));
getById('desk')
  .querySelector('[role=tablist]')
  .addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key) || !session.keepsClaims) return;
    event.preventDefault();
    chooseTab(getById('panel-keys').hidden ? 'keys' : 'links', { takesFocus: true });
  });
getById('new-key').addEventListener('click', () => openNewKey(session, { onChange: refresh }));
getById('sign-in-form').addEventListener('submit', (event) => void signIn(event));
getById('sign-out').addEventListener('click', () => signOut());
// A page that is left may be kept whole, to be shown again by "back".
addEventListener('pagehide', () => signOut());

wireDialog();
showSignIn();
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

export const getById = (id) => document.getElementById(id);

/** Moves the focus to the heading of a part of the page: screen readers read on from it, and the keyboard goes on from it. */
export function focusHeading(part) {
  part.querySelector('h1').focus();
}

/** Makes an element; properties whose names have a hyphen, and \`role\`, become attributes. */
export function createElement(tag, properties = {}, ...children) {
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
  const region = getById('spoken');
  region.textContent = '';
  // What is outside of an open dialog is neither heard nor shown.
  (document.querySelector('dialog[open]') ?? document.body).append(region);
  setTimeout(() => (region.textContent = text), 50);
}

let toastTimer;

/** Says something to those who hear the page, and shows it for a while to those who see it. */
export function announce(text) {
  say(text);
  const toast = getById('toast');
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
      if (!(await copyFrom(getById(button.dataset.copy), button.dataset.what))) return;
      label.textContent = 'Copied';
      setTimeout(() => (label.textContent = text), 2_000);
    };
    button.addEventListener('click', () => void copy());
  }
}

/** A \`curl\` line that a shell reads as it is meant, whatever the address holds. */
export function formatCurlLine({ key, header, scheme, exampleUrl }) {
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
export function formatDistance(text) {
  const ms = new Date(text).getTime() - Date.now();
  const [unit, from, size = from] = units.find(([, least]) => Math.abs(ms) >= least * 0.95) ?? [
    'minute',
    60_000,
  ];
  return distanceFormat.format(Math.round(ms / size), unit);
}

/** A \`time\` element: the day, or the day and the minute, with the whole instant for those who point at it. */
export function createTime(text, { isExact = false, isDistance = false } = {}) {
  const date = new Date(text);
  const whole = instantFormat.format(date);
  const shown = isDistance ? formatDistance(text) : isExact ? whole : dayFormat.format(date);
  return createElement('time', { dateTime: date.toISOString(), title: whole }, shown);
}

/** Scopes as a list of labels. */
export function createScopeList(scopes) {
  return createElement(
    'ul',
    { className: 'scopes', role: 'list' },
    ...scopes.map((scope) => createElement('li', {}, createElement('code', {}, scope))),
  );
}
`,
} as const;

export type AssetName = keyof typeof assets;
