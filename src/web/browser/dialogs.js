import { markField } from './fields.js';
import { createElement, focusHeading, getById, wireCopyButtons } from './page.js';

const dialog = getById('dialog');

/** Whether what is shown would be lost with the dialog, so that Escape alone does not close it. */
let holdsSecret = false;

/** @param main the part of the page that takes the focus if nothing else does */
export function wireDialog(main) {
  dialog.addEventListener('cancel', (event) => holdsSecret && event.preventDefault());
  // Nothing that a dialog showed stays in the page.
  dialog.addEventListener('close', () => {
    holdsSecret = false;
    fillDialog();
    // What opened it may be gone, and the keyboard would be nowhere.
    if (document.activeElement === document.body) focusHeading(main);
  });
}

export function closeDialog() {
  if (dialog.open) dialog.close();
}

function fillDialog(...content) {
  // These may have been moved into the dialog, and outlive what it shows.
  document.body.append(getById('spoken'), getById('toast'));
  dialog.replaceChildren(...content.filter((each) => each !== undefined));
}

function openDialog(title, ...content) {
  fillDialog(createElement('h2', { id: 'dialog-title', tabIndex: -1 }, title), ...content);
  if (!dialog.open) dialog.showModal();
}

/**
 * A form in the dialog. `submit` is given the form's data. It resolves to `undefined`, which
 * closes the dialog, or to the secret to show in it, see `showSecret`; or it rejects with what to
 * say, beside the field that the error names. `aliases` are the names here of fields that the API
 * calls otherwise.
 */
export function openForm({ title, content, action, isDanger = false, aliases = {}, submit }) {
  const problem = createElement('p', { className: 'notice error', role: 'alert', hidden: true });
  const button = createElement(
    'button',
    { className: `button${isDanger ? ' danger' : ''}`, type: 'submit' },
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
    const field = aliases[error.field] ?? error.field;
    if (form.querySelector(`#${field}-error`)) {
      markField(form, field, error.message);
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
      // If it was canceled meanwhile, the dialog may already hold another form.
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

/** Shows something in the dialog, with a button that closes it. */
export function openPanel({ title, content }) {
  openDialog(
    title,
    ...content,
    createElement(
      'div',
      { className: 'actions' },
      createElement(
        'button',
        { className: 'button quiet', type: 'button', onclick: closeDialog },
        'Close',
      ),
    ),
  );
  getById('dialog-title').focus();
}

/** Shows a key or a link this one time; only its own button closes the dialog. */
function showSecret({ title, lead, warning, label, secret, example, done }) {
  openDialog(
    title,
    createElement('p', { className: 'muted' }, lead),
    ...(warning === undefined ? [] : [createWarning(warning)]),
    createSecret('secret', label, secret),
    example === undefined ? undefined : createSecret('example', 'Try it', example),
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

/** A text to be copied, under its label. */
function createSecret(id, label, text) {
  const copy = createElement(
    'button',
    {
      className: 'button quiet small',
      type: 'button',
      'data-copy': `${id}-text`,
      'data-what': label === 'Try it' ? 'Command' : label,
    },
    createElement('span', {}, 'Copy'),
  );
  return createElement(
    'div',
    { className: 'secret' },
    createElement(
      'div',
      { className: 'secret-head' },
      createElement('h3', { id: `${id}-label` }, label),
      copy,
    ),
    createElement(
      'code',
      { id: `${id}-text`, translate: false, role: 'group', 'aria-labelledby': `${id}-label` },
      text,
    ),
  );
}

export const createWarning = (text) => createElement('p', { className: 'notice' }, text);
