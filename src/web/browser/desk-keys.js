import {
  createActionButton,
  createActionsCell,
  createCell,
  createMuted,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUserCell,
} from './desk-table.js';
import { createElement, createTime } from './page.js';

export function renderKeys(keys, { operatorKeyId, rotate, revoke }) {
  const rows = keys.map((record) => {
    const { keyId, user, name, scopes, status, lastUsedAt, createdAt, revokedAt, replacedBy } =
      record;
    const isUsable = status !== 'revoked' && status !== 'expired';
    const subject = `${name === undefined ? '' : `${name}, `}${keyId} of ${user}`;
    const mark = keyId === operatorKeyId ? 'your key' : undefined;
    return createRow(
      createUserCell('User', { user, name, id: keyId, mark }, describeMetadata(record)),
      createStatusCell(status),
      createScopesCell(scopes),
      createCell(
        'Last used',
        lastUsedAt === undefined
          ? createMuted('never')
          : createTime(lastUsedAt, { isDistance: true }),
      ),
      createCell('Created', createTime(createdAt)),
      createCell(...describeEnd(record)),
      createActionsCell(
        isUsable && replacedBy === undefined
          ? createActionButton('Rotate', { subject, onPress: () => rotate(record) })
          : undefined,
        revokedAt === undefined
          ? createActionButton('Revoke', { subject, isDanger: true, onPress: () => revoke(record) })
          : undefined,
      ),
    );
  });
  return createTable('Keys', ['User', 'Status', 'Scopes', 'Last used', 'Created', 'Ends'], rows);
}

function describeMetadata({ metadata }) {
  if (Object.keys(metadata).length === 0) return undefined;
  return createElement(
    'details',
    {},
    createElement('summary', {}, 'Metadata'),
    createElement('pre', { tabIndex: 0, translate: false }, JSON.stringify(metadata, null, 2)),
  );
}

/** The label and the content of the cell that says when a key ends or has ended. */
function describeEnd({ status, revokedAt, expiresAt }) {
  if (revokedAt !== undefined) return ['Revoked', createTime(revokedAt)];
  if (expiresAt === undefined) return ['Expires', createMuted('never')];
  return [status === 'expired' ? 'Expired' : 'Expires', createTime(expiresAt)];
}
