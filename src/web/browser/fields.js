import { createElement } from './page.js';

/** What is wrong with one field of a form, to be said beside it. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** A control with its label, a hint if there is one, and room for what is wrong with it. */
export function createField(label, control, hint) {
  const [errorId, hintId] = [`${control.id}-error`, `${control.id}-hint`];
  control.setAttribute('aria-describedby', hint === undefined ? errorId : `${errorId} ${hintId}`);
  return createElement(
    'div',
    { className: 'field' },
    createElement('label', { htmlFor: control.id }, label),
    control,
    createElement('p', { className: 'field-error', id: errorId }),
    hint === undefined ? undefined : createElement('p', { className: 'hint', id: hintId }, hint),
  );
}

/** Marks the one field that is wrong and goes there; without a field none is marked. */
export function markField(form, field, message) {
  for (const control of form.querySelectorAll('[aria-invalid]'))
    control.removeAttribute('aria-invalid');
  for (const each of form.querySelectorAll('.field-error')) each.textContent = '';
  if (field === undefined) return;
  const control = form.elements[field];
  form.querySelector(`#${control.id}-error`).textContent = message;
  control.setAttribute('aria-invalid', 'true');
  control.focus();
}

export function createTextInput(id, { maxLength } = {}) {
  return createElement('input', {
    id,
    name: id,
    autocomplete: 'off',
    spellcheck: false,
    maxLength,
  });
}

/** Asks why something is done, for the history of keys. */
export const createReasonField = () =>
  createField('Reason (optional)', createTextInput('reason', { maxLength: 1_000 }));

/** The reason that was typed, as a part of a request. */
export function readReason(data) {
  const reason = data.get('reason').trim();
  return reason === '' ? {} : { reason };
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
    id: `${name}-${value}`,
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
