import { toPath } from './api.js';
import { ask } from './desk-client.js';
import { createWarning, openForm, openPanel } from './dialogs.js';
import {
  createField,
  createReasonField,
  createSelect,
  createTextInput,
  FieldError,
  readReason,
} from './fields.js';
import { describeKey } from './key-forms.js';
import { announce, createElement } from './page.js';

const hourMs = 3_600_000;
const pauses = [
  [String(hourMs), 'For 1 hour'],
  [String(24 * hourMs), 'For 1 day'],
  [String(7 * 24 * hourMs), 'For 7 days'],
  ['', 'Until it is resumed'],
];

/** The rarer things that can be done with a key; those that the store cannot do are left out. */
export function openMore(record, { abilities, openHistory, ...more }) {
  const { user, status, revokedAt } = record;
  const isUsable = status !== 'expired' && status !== 'revoked';
  const choices = [
    [revokedAt === undefined, 'Change', 'Its user, name, scopes and addresses.', openUpdate],
    [
      isUsable && abilities.has('pause') && status !== 'paused',
      'Pause',
      'It is refused meanwhile.',
      openPause,
    ],
    [
      isUsable && abilities.has('pause') && status === 'paused',
      'Resume',
      'It works again at once.',
      openResume,
    ],
    [abilities.has('events'), 'History', 'Who did what with this key.', openHistory],
    [
      abilities.has('revokeUser'),
      'Revoke all',
      `All keys and open claim links of ${user}.`,
      openRevokeAll,
    ],
  ];
  openPanel({
    title: 'More for this key',
    content: [
      describeKey(record, 'What do you want to do with'),
      createElement(
        'div',
        { className: 'choices' },
        ...choices.flatMap(([isThere, label, hint, open]) =>
          isThere
            ? [
                createElement(
                  'button',
                  { className: 'button quiet', type: 'button', onclick: () => open(record, more) },
                  createElement(
                    'span',
                    {},
                    createElement('strong', {}, label),
                    createElement('span', { className: 'hint' }, hint),
                  ),
                ),
              ]
            : [],
        ),
      ),
    ],
  });
}

function openUpdate(record, { onChange }) {
  const { keyId, user, name = '', scopes, allowedAddresses = [] } = record;
  const fill = (input, value) => Object.assign(input, { value });
  openForm({
    title: 'Change key',
    action: 'Save',
    content: [
      createElement(
        'div',
        { className: 'pair' },
        createField('User', fill(createTextInput('user', { maxLength: 256 }), user)),
        createField('Name (optional)', fill(createTextInput('name', { maxLength: 256 }), name)),
      ),
      createField(
        'Scopes',
        fill(createTextInput('scopes'), scopes.join(' ')),
        'Separated by spaces.',
      ),
      createField(
        'Allowed addresses (optional)',
        fill(createTextInput('allowedAddresses'), allowedAddresses.join(' ')),
        'IP addresses and blocks such as 203.0.113.0/24, separated by spaces. None means any.',
      ),
      createReasonField(),
    ],
    async submit(data) {
      const typed = Object.fromEntries(
        ['user', 'name'].map((field) => [field, data.get(field).trim()]),
      );
      if (typed.user === '') throw new FieldError('user', 'Enter the user of the key.');
      await ask('POST', toPath('keys', keyId, 'update'), {
        ...(typed.user !== user && { user: typed.user }),
        ...(typed.name !== name && { name: typed.name === '' ? null : typed.name }),
        ...readList(data, 'scopes', scopes),
        ...readList(data, 'allowedAddresses', allowedAddresses),
        ...readReason(data),
      });
      announce('Key changed.');
      onChange();
    },
  });
}

/** What was typed into a field for several words, if it is not what was there. */
function readList(data, field, before) {
  const words = data
    .get(field)
    .split(/[\s,]+/)
    .filter(Boolean);
  return words.join(' ') === before.join(' ') ? {} : { [field]: words };
}

function openPause(record, { isOwn, onChange }) {
  openForm({
    title: 'Pause key',
    action: 'Pause key',
    aliases: { until: 'pause' },
    content: [
      describeKey(record, 'While it is paused, this key is refused:'),
      isOwn
        ? createWarning('You are signed in with this key: you will be signed out meanwhile.')
        : undefined,
      createField('Pause', createSelect('pause', pauses, String(hourMs))),
      createReasonField(),
    ],
    async submit(data) {
      const ms = data.get('pause');
      await ask('POST', toPath('keys', record.keyId, 'pause'), {
        ...(ms !== '' && { until: new Date(Date.now() + Number(ms)).toISOString() }),
        ...readReason(data),
      });
      announce('Key paused.');
      onChange();
    },
  });
}

function openResume(record, { onChange }) {
  openForm({
    title: 'Resume key',
    action: 'Resume key',
    content: [describeKey(record, 'This key works again at once:'), createReasonField()],
    async submit(data) {
      await ask('POST', toPath('keys', record.keyId, 'resume'), readReason(data));
      announce('Key resumed.');
      onChange();
    },
  });
}

function openRevokeAll({ user }, { operatorUser, onChange }) {
  openForm({
    title: 'Revoke all',
    action: 'Revoke all',
    isDanger: true,
    content: [
      createElement(
        'p',
        {},
        'All keys and open claim links of ',
        createElement('strong', { translate: false }, user),
        ' stop working at once. This cannot be undone.',
      ),
      user === operatorUser
        ? createWarning('Your own key is one of them: you will be signed out.')
        : undefined,
      createReasonField(),
    ],
    async submit(data) {
      const { keys, claims } = await ask('POST', toPath('users', user, 'revoke'), readReason(data));
      announce(`Revoked: ${keys.length} keys and ${claims.length} links.`);
      onChange();
    },
  });
}
