import { ask, query, useKey } from './desk-client.js';
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
      const text = isFiltered ? `No ${this.noun} like this.` : `No ${this.noun} yet.`;
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
        { className: 'pages', 'aria-label': `Pages of ${this.noun}` },
        button('Previous', page > 1, () => this.#cursors.pop()),
        element('span', { className: 'page-number', tabIndex: -1 }, `Page ${page}`),
        button('Next', next !== null, () => this.#cursors.push(next)),
      ),
    );
    if (!isQuiet) say(`Page ${page}: ${items.length} ${this.noun}.`);
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
    const [tab, isChosen] = [byId(`tab-${each}`), each === name];
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    byId(`panel-${each}`).hidden = !isChosen;
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
for (const name of ['keys', 'links']) byId(`tab-${name}`).addEventListener('click', () => choose(name));
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
