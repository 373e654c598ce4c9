import { createChart } from './chart.js';
import {
  createActionButton,
  createActionsCell,
  createCell,
  createEndCell,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUseCell,
  createUserCell,
} from './table.js';
import { createElement, createTime } from './page.js';

export function renderKeys(keys, { operatorKeyId, usage, rotate, revoke, more }) {
  const rows = keys.map((record) => {
    const { keyId, user, name, scopes, status, createdAt, revokedAt, replacedBy } = record;
    const isUsable = status !== 'revoked' && status !== 'expired';
    const subject = `${name === undefined ? '' : `${name}, `}${keyId} of ${user}`;
    const mark = keyId === operatorKeyId ? 'your key' : undefined;
    return createRow(
      createUserCell('User', { user, name, id: keyId, mark }, describeMetadata(record)),
      createStatusCell(record),
      createScopesCell(scopes),
      createUseCell(record, usage && createChart(usage, keyId)),
      createCell('Created', createTime(createdAt)),
      createEndCell(record),
      createActionsCell(
        isUsable && replacedBy === undefined
          ? createActionButton('Rotate', { subject, onPress: () => rotate(record) })
          : undefined,
        revokedAt === undefined
          ? createActionButton('Revoke', { subject, isDanger: true, onPress: () => revoke(record) })
          : undefined,
        createActionButton('More', { subject, onPress: () => more(record) }),
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
