import { ask } from './account-client.js';
import { toPath } from './api.js';
import { openForm } from './dialogs.js';
import { createField, createSelect, createTextInput, FieldError } from './fields.js';
import {
  createScopeBoxes,
  createTitle,
  describeKey,
  describeNewKey,
  lifetimes,
  readExpiry,
} from './key-forms.js';
import { announce, createElement, createTime, formatCurlLine, readSetting } from './page.js';

export function openNewKey({ scopes }, { onChange }) {
  openForm({
    title: 'New key',
    action: 'Create key',
    aliases: { expiresAt: 'expires' },
    content: [
      createField(
        'Name',
        createTextInput('name', { maxLength: 256 }),
        'What you will know it by: the program or the machine that uses it.',
      ),
      ...(scopes.length > 0 ? [createScopeBoxes('Scopes', scopes)] : []),
      createField('Key expires', createSelect('expires', lifetimes, '90')),
    ],
    async submit(data) {
      const name = data.get('name').trim();
      if (name === '') throw new FieldError('name', 'Enter a name for the key.');
      const { key, record } = await ask('POST', 'keys', {
        name,
        scopes: data.getAll('known-scope'),
        ...readExpiry(data),
      });
      onChange();
      return withExample(describeNewKey(createTitle('Your key', record.name), key, storeIt), key);
    },
  });
}

const storeIt = 'Store it now. It will not be shown again.';

const withExample = (secret, key) => ({
  ...secret,
  example: formatCurlLine({
    key,
    header: readSetting('key-header'),
    scheme: readSetting('key-scheme') || undefined,
    exampleUrl: readSetting('example-url'),
  }),
});

export function openRotate(record, { onChange }) {
  const overlapMs = Number(readSetting('overlap-ms'));
  openForm({
    title: 'Rotate key',
    action: 'Rotate key',
    content: [
      describeKey({ ...record, user: undefined }, 'A new key with the same name and end replaces'),
      createElement(
        'p',
        {},
        overlapMs === 0
          ? 'The old key stops working at once.'
          : `The old key works for ${formatSpan(overlapMs)} more, so that you can switch.`,
      ),
    ],
    async submit() {
      const answer = await ask('POST', toPath('keys', record.keyId, 'rotate'), {});
      const { key, record: made, previous } = answer;
      onChange();
      const secret = describeNewKey(createTitle('Your new key', made.name ?? ''), key, storeIt);
      const until = createElement(
        'span',
        {},
        `${secret.lead} The old key works until `,
        createTime(previous.expiresAt, { isExact: true }),
        '.',
      );
      return withExample(overlapMs === 0 ? secret : { ...secret, lead: until }, key);
    },
  });
}

/** A span of time in the greatest unit that divides it. */
function formatSpan(ms) {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ];
  const [unit, size] = units.find(([, each]) => ms % each === 0) ?? units.at(-1);
  const format = new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay: 'long' });
  return format.format(Math.max(1, Math.round(ms / size)));
}

export function openRevoke(record, { onChange }) {
  openForm({
    title: 'Revoke key',
    action: 'Revoke key',
    isDanger: true,
    content: [
      describeKey({ ...record, user: undefined }, 'This key stops working at once:'),
      createElement('p', {}, 'This cannot be undone.'),
    ],
    async submit() {
      await ask('POST', toPath('keys', record.keyId, 'revoke'), {});
      announce('Key revoked.');
      onChange();
    },
  });
}
