import { allowBreaks, createElement } from './page.js';

const dayMs = 86_400_000;

/** How long a new key works, in days. */
export const lifetimes = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['', 'Never'],
];

/** What the choice of a lifetime means, as a part of a request. */
export function readExpiry(data) {
  const days = data.get('expires');
  return days === ''
    ? {}
    : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() };
}

/** Check boxes for scopes, and what else belongs to them. */
export function createScopeBoxes(label, scopes, ...more) {
  const boxes = scopes.map((value, index) => {
    const id = `known-scope-${index}`;
    return createElement(
      'label',
      { htmlFor: id },
      createElement('input', { type: 'checkbox', name: 'known-scope', value, id }),
      createElement('code', { translate: false }, value),
    );
  });
  return createElement(
    'fieldset',
    {},
    createElement('legend', {}, label),
    createElement('div', { className: 'chips' }, ...boxes),
    ...more,
  );
}

// Browsers that translate pages must leave the names of users and keys alone.
export const createTitle = (words, name) =>
  createElement(
    'span',
    {},
    `${words} `,
    createElement('span', { translate: false }, ...allowBreaks(name)),
  );

export const describeNewKey = (title, key, lead) => ({
  title,
  lead,
  label: 'Key',
  secret: key,
  done: 'I have stored it',
});

/** Says which key a form is about. */
export function describeKey({ user, name, keyId }, lead) {
  const names = [
    user === undefined
      ? undefined
      : createElement('strong', { translate: false }, ...allowBreaks(user)),
    name === undefined
      ? undefined
      : createElement('span', { translate: false }, user === undefined ? name : ` · ${name}`),
  ];
  return createElement(
    'div',
    { className: 'subject' },
    createElement('p', { className: 'muted' }, lead),
    names.some((each) => each !== undefined) ? createElement('p', {}, ...names) : undefined,
    createElement('p', {}, createElement('code', { translate: false }, keyId)),
  );
}
