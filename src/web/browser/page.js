// Shared by the pages. Text from elsewhere is only ever set as text or as an attribute: nothing
// here parses HTML.

/** Where the page is mounted: the folder of this file. */
export const mount = new URL('./', import.meta.url);

export const getById = (id) => document.getElementById(id);

/** What the application has set for this page. */
export const readSetting = (name) => document.querySelector(`meta[name="${name}"]`).content;

/**
 * Moves the focus to the heading of a part of the page: screen readers read on from it, and the
 * keyboard goes on from it.
 */
export function focusHeading(part) {
  part.querySelector('h1').focus();
}

/** Makes an element; properties whose names have a hyphen, and `role`, become attributes. */
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

/**
 * Copies the text of an element; where the browser does not let a page do that, it is left
 * selected.
 */
export async function copyFrom(source, what) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    announce(`${what} copied.`);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    const isCopied = document.execCommand('copy');
    announce(
      isCopied ? `${what} copied.` : `${what} selected: copy it with your keyboard or menu.`,
    );
    return isCopied;
  }
}

/**
 * Makes every button with `data-copy` copy the element of that id, and say so on itself for a
 * while.
 */
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

/** A `curl` line, quoted so that a shell reads any address as it is. */
export function formatCurlLine({ key, header, scheme, exampleUrl }) {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const value = scheme === undefined ? key : `${scheme} ${key}`;
  // A host may hold what a shell runs, and a query its separators.
  return `curl -H ${quote(`${header}: ${value}`)} ${quote(new URL(exampleUrl, location.href).href)}`;
}

const instantFormat = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
});
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

/**
 * A `time` element: the day, or the day and the minute, with the whole instant for those who
 * point at it.
 */
export function createTime(text, { isExact = false, isDistance = false } = {}) {
  const date = new Date(text);
  const whole = instantFormat.format(date);
  const shown = isDistance ? formatDistance(text) : isExact ? whole : dayFormat.format(date);
  return createElement('time', { dateTime: date.toISOString(), title: whole }, shown);
}

/**
 * A user is often a mail address: it may break after its dots and its `@`, rather than within a
 * word.
 */
export function allowBreaks(text) {
  const [first, ...others] = text.split(/(?<=[@.])/);
  return [first, ...others.flatMap((part) => [createElement('wbr'), part])];
}

/** Scopes as a list of labels. */
export function createScopeList(scopes) {
  return createElement(
    'ul',
    { className: 'scopes', role: 'list' },
    ...scopes.map((scope) =>
      createElement('li', {}, createElement('code', { translate: false }, scope)),
    ),
  );
}
