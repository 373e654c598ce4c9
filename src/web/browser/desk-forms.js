import { toPath } from './api.js';
import { ask } from './desk-client.js';
import { createWarning, openForm } from './dialogs.js';
import {
  createChoice,
  createField,
  createReasonField,
  createSelect,
  createTextInput,
  FieldError,
  readReason,
} from './fields.js';
import {
  createScopeBoxes,
  createTitle,
  describeKey,
  describeNewKey,
  lifetimes,
  readExpiry,
} from './key-forms.js';
import { announce, createElement } from './page.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

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
  const linkTtl = createField(
    'Link works for',
    createSelect('link-ttl', linkLifetimes, String(dayMs)),
  );
  openForm({
    title: 'New key',
    action: canLink ? 'Continue' : 'Create key',
    aliases: { expiresAt: 'expires', claimTtlMs: 'link-ttl' },
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
  const hint =
    'Separated by spaces. A key with keys:manage can do everything that you can do here.';
  if (knownScopes.length === 0) return createField('Scopes', typed, hint);
  return createScopeBoxes('Scopes', knownScopes, createField('Other scopes', typed, hint));
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
  const typed = data
    .get('scopes')
    .split(/[\s,]+/)
    .filter(Boolean);
  return {
    user,
    ...(name !== '' && { name }),
    scopes: [...new Set([...data.getAll('known-scope'), ...typed])],
    ...readExpiry(data),
  };
}

const deliverIt = 'Store it or deliver it now. It will not be shown again.';

async function createKey(wanted) {
  const { key, record } = await ask('POST', 'keys', wanted);
  return describeNewKey(createTitle('A key for', record.user), key, deliverIt);
}

async function createLink(wanted, { claimUrl, claimTtlMs }) {
  const { token, claim } = await ask('POST', 'claims', { ...wanted, claimTtlMs });
  const link = new URL(claimUrl, location.href);
  link.hash = token;
  return {
    title: createTitle('A claim link for', claim.user),
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
const isLoopback = (hostname) => /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

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
      createReasonField(),
    ],
    async submit(data) {
      const options = {
        overlapMs: Number(data.get('overlap')),
        startsAt: data.get('starts'),
        ...readReason(data),
      };
      const { key, record: made } = await ask(
        'POST',
        toPath('keys', record.keyId, 'rotate'),
        options,
      );
      onChange(isOwn ? { operator: { key, keyId: made.keyId } } : {});
      return describeNewKey(createTitle('The new key of', made.user), key, deliverIt);
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
      createReasonField(),
    ],
    async submit(data) {
      const options = { family: data.get('family') !== null, ...readReason(data) };
      const { records } = await ask('POST', toPath('keys', record.keyId, 'revoke'), options);
      announce(records.length > 1 ? `${records.length} keys revoked.` : 'Key revoked.');
      onChange();
    },
  });
}

export function openRevokeLink(claim, { onChange }) {
  openForm({
    title: 'Revoke link',
    action: 'Revoke link',
    isDanger: true,
    content: [
      createElement(
        'p',
        {},
        'The claim link for ',
        createElement('strong', { translate: false }, claim.user),
        ' stops working at once. It has not been used.',
      ),
      createReasonField(),
    ],
    async submit(data) {
      await ask('POST', toPath('claims', claim.claimId, 'revoke'), readReason(data));
      announce('Link revoked.');
      onChange();
    },
  });
}
