import { byId, element, wireCopyButtons } from './page.js';

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
 * A form in the dialog. `submit` is given the form's data and either resolves, which closes the dialog unless it showed something
 * else in it, or rejects with what to say.
 */
export function openForm({ title, content, action, isDanger = false, submit }) {
  const problem = element('p', { className: 'notice error', role: 'alert', hidden: true });
  const button = element(
    'button',
    { className: `button${isDanger ? ' danger' : ''}`, type: 'submit' },
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
  const hintId = hint === undefined ? undefined : `${control.id}-hint`;
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
