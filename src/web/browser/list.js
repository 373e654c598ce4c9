import { toQueryString } from './api.js';
import { createElement, focusHeading, say } from './page.js';

/**
 * One list on a page: its filters, its place among the pages, and what it shows. It asks
 * `isSignedIn` before it shows an answer, and tells `onRefused` why its reader is no longer let
 * in. What the list needs besides is loaded by `prepare`.
 */
export class List {
  #options;
  // The cursors of the pages before this one, so that there is a way back.
  #cursors = [];
  #turn = 0;

  constructor({ readFilters = () => ({}), prepare = async () => {}, ...options }) {
    this.#options = { readFilters, prepare, ...options };
  }

  /** From the first page on, as after a change of the filters. */
  restart({ isQuiet = false } = {}) {
    this.#cursors = [];
    return this.load({ isQuiet });
  }

  async load({ isTurned = false, isQuiet = false } = {}) {
    const { view, ask, path, readFilters, prepare, isSignedIn } = this.#options;
    const turn = ++this.#turn;
    view.setAttribute('aria-busy', 'true');
    try {
      const fields = { ...readFilters(), cursor: this.#cursors.at(-1) };
      const [answer] = await Promise.all([ask('GET', path + toQueryString(fields)), prepare()]);
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
      const text = isFiltered ? `No matching ${noun}.` : `No ${noun} yet.`;
      this.#replace(createElement('p', { className: 'empty' }, text));
      if (!isQuiet) say(text);
      return;
    }
    const isWhole = page === 1 && next === null;
    this.#replace(render(items), isWhole ? undefined : this.#createPageButtons(page, next));
    const count = `${items.length} ${items.length === 1 ? noun.slice(0, -1) : noun}.`;
    if (!isQuiet) say(isWhole ? count : `Page ${page}: ${count}`);
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
      { className: 'pages', 'aria-label': `Pages of ${noun}` },
      createButton('Previous', page > 1, () => this.#cursors.pop()),
      createElement('span', { className: 'page-number', tabIndex: -1 }, `Page ${page}`),
      createButton('Next', next !== null, () => this.#cursors.push(next)),
    );
  }

  /** Keeps the focus in its place in the list, or moves it to the heading if that place is gone. */
  #replace(...content) {
    const { view, main } = this.#options;
    const focused = view.contains(document.activeElement) ? document.activeElement : undefined;
    const label = focused?.getAttribute('aria-label');
    view.replaceChildren(...content.filter((each) => each !== undefined));
    if (!focused) return;
    const labeled = [...view.querySelectorAll('[aria-label]')];
    const same = labeled.find((each) => each.getAttribute('aria-label') === label);
    if (same) same.focus();
    else focusHeading(main);
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
