import { FieldError, markField } from './desk-fields.js';
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
 * A form in the dialog. `submit` is given the form's data. It resolves to `undefined`, which closes the dialog, or to the secret to
 * show in it, see `showSecret`; or it rejects with what to say, beside a field where that is a `FieldError`.
 */
export function openForm({ title, content, action, isDanger = false, submit }) {
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
    {
      className: 'button quiet small',
      type: 'button',
      'data-copy': 'secret-text',
      'data-what': label,
    },
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
      createElement(
        'code',
        { id: 'secret-text', translate: false, role: 'group', 'aria-labelledby': 'secret-label' },
        secret,
      ),
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
