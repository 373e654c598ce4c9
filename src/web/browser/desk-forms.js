import { ask, pathTo, useKey } from './desk-client.js';
import { field, openForm, select, showSecret } from './desk-dialogs.js';
import { announce, element } from './page.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const lifetimes = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['', 'Never'],
];
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

export function openNewKey(session, onChange) {
  const canLink = session.claimUrl !== undefined;
  const linkTtl = field('Link works for', select('link-ttl', linkLifetimes, String(dayMs)));
  openForm({
    title: 'New key',
    action: canLink ? 'Continue' : 'Create key',
    content: [
      element(
        'div',
        { className: 'pair' },
        field('User', textInput('user')),
        field('Name (optional)', textInput('name')),
      ),
      scopeFields(session.knownScopes),
      ...(canLink ? [handover((value) => (linkTtl.hidden = value !== 'link'))] : []),
      element(
        'div',
        { className: 'pair' },
        field('Key expires', select('expires', lifetimes, '90')),
        canLink ? linkTtl : undefined,
      ),
    ],
    async submit(data) {
      const user = data.get('user').trim();
      if (user === '') throw new Error('Say whose key it is.');
      const days = data.get('expires');
      const typed = data
        .get('scopes')
        .split(/[\s,]+/)
        .filter(Boolean);
      const wanted = {
        user,
        ...(data.get('name').trim() !== '' && { name: data.get('name').trim() }),
        scopes: [...new Set([...data.getAll('known-scope'), ...typed])],
        ...(days !== '' && { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
      };
      if (data.get('handover') === 'link') await createLink(session, wanted, Number(data.get('link-ttl')));
      else await createKey(wanted);
      onChange();
    },
  });
}

const textInput = (id) =>
  element('input', { id, name: id, autocomplete: 'off', spellcheck: false, maxLength: 256 });

function scopeFields(knownScopes) {
  const typed = element('input', { id: 'scopes', name: 'scopes', autocomplete: 'off', spellcheck: false });
  const hint = 'Separated by blanks. Whoever has keys:manage may do all that you can do here.';
  if (knownScopes.length === 0) return field('Scopes', typed, hint);
  const boxes = knownScopes.map((value, index) => {
    const box = element('input', {
      type: 'checkbox',
      name: 'known-scope',
      value,
      id: `known-scope-${index}`,
    });
    return element('label', { htmlFor: box.id }, box, element('code', {}, value));
  });
  return element(
    'fieldset',
    {},
    element('legend', {}, 'Scopes'),
    element('div', { className: 'chips' }, ...boxes),
    field('Other scopes', typed, hint),
  );
}

function handover(onChoice) {
  const choice = (value, label, hint) => {
    const input = element('input', {
      type: 'radio',
      name: 'handover',
      value,
      id: `handover-${value}`,
      checked: value === 'link',
    });
    input.addEventListener('change', () => onChoice(value));
    return element(
      'label',
      { className: 'choice', htmlFor: input.id },
      input,
      element('span', {}, element('strong', {}, label), element('span', { className: 'hint' }, hint)),
    );
  };
  return element(
    'fieldset',
    {},
    element('legend', {}, 'Hand over'),
    choice(
      'link',
      'As a claim link',
      'The user makes the key by opening the link, once. Nobody else sees it.',
    ),
    choice('key', 'Show the key here', 'You see it once, and see to it that it arrives safely.'),
  );
}

async function createKey(wanted) {
  const { key, record } = await ask('POST', 'keys', wanted);
  showSecret({
    title: `A key for ${record.user}`,
    lead: 'Store it or hand it over now. It is never shown again.',
    label: 'Key',
    secret: key,
    done: 'I have stored it',
  });
}

async function createLink(session, wanted, claimTtlMs) {
  const { token, claim } = await ask('POST', 'claims', { ...wanted, claimTtlMs });
  const link = new URL(session.claimUrl, location.href);
  link.hash = token;
  const isPlain = link.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(link.hostname);
  showSecret({
    title: `A claim link for ${claim.user}`,
    lead: isPlain
      ? 'Careful: the claim page is reached over plain HTTP, where others on the way can read the key.'
      : 'Send it to its user alone: whoever opens it first is given the key. It works once.',
    label: 'Link',
    secret: link.href,
    done: 'I have sent it',
  });
}

export function openRotate(session, record, onChange) {
  const isOwn = record.keyId === session.keyId;
  openForm({
    title: 'Rotate key',
    action: 'Rotate key',
    content: [
      subject(record, 'A new key with the same owner, scopes and expiry takes over from'),
      ...(isOwn
        ? [warning('This is the key you are signed in with. The desk goes on with the new one; store it.')]
        : []),
      field('The old key', select('overlap', overlaps, String(dayMs))),
      field(
        'Counted from',
        select(
          'starts',
          [
            ['now', 'now'],
            ['first-use', 'the first use of the new key'],
          ],
          'now',
        ),
      ),
    ],
    async submit(data) {
      const options = { overlapMs: Number(data.get('overlap')), startsAt: data.get('starts') };
      const { key, record: made } = await ask('POST', pathTo('keys', record.keyId, 'rotate'), options);
      if (isOwn) {
        useKey(key);
        session.keyId = made.keyId;
      }
      showSecret({
        title: `The new key of ${made.user}`,
        lead: 'Store it or hand it over now. It is never shown again.',
        label: 'Key',
        secret: key,
        done: 'I have stored it',
      });
      onChange();
    },
  });
}

export function openRevoke(session, record, onChange) {
  const isOwn = record.keyId === session.keyId;
  const isLinked = record.replaces !== undefined || record.replacedBy !== undefined;
  const family = element('input', { type: 'checkbox', id: 'family', name: 'family' });
  openForm({
    title: 'Revoke key',
    action: 'Revoke key',
    isDanger: true,
    content: [
      subject(record, 'From now on nobody gets in with'),
      ...(isOwn
        ? [
            warning(
              'This is the key you are signed in with: you will be signed out and cannot come back with it.',
            ),
          ]
        : []),
      element('p', {}, 'This cannot be undone.'),
      ...(isLinked
        ? [
            element(
              'label',
              { className: 'check', htmlFor: 'family' },
              family,
              'Also every key that it took over from, or that took over from it',
            ),
          ]
        : []),
    ],
    async submit(data) {
      const options = { family: data.get('family') !== null };
      const { records } = await ask('POST', pathTo('keys', record.keyId, 'revoke'), options);
      announce(records.length > 1 ? `${records.length} keys revoked.` : 'Key revoked.');
      onChange();
    },
  });
}

export function openWithdraw(claim, onChange) {
  openForm({
    title: 'Withdraw link',
    action: 'Withdraw link',
    isDanger: true,
    content: [
      element(
        'p',
        {},
        'The claim link for ',
        element('strong', {}, claim.user),
        ' stops working at once. It has not been used.',
      ),
    ],
    async submit() {
      await ask('POST', pathTo('claims', claim.claimId, 'withdraw'), {});
      announce('Link withdrawn.');
      onChange();
    },
  });
}

function subject({ user, name, keyId }, lead) {
  return element(
    'div',
    { className: 'subject' },
    element('p', { className: 'muted' }, lead),
    element('p', {}, element('strong', {}, user), name === undefined ? undefined : ` · ${name}`),
    element('p', {}, element('code', {}, keyId)),
  );
}

const warning = (text) => element('p', { className: 'notice' }, text);
