import { createChart } from './chart.js';
import {
  createActionButton,
  createActionsCell,
  createEndCell,
  createRow,
  createScopesCell,
  createStatusCell,
  createTable,
  createUseCell,
  createUserCell,
} from './table.js';

export function renderOwnKeys(keys, { usage, rotate, revoke }) {
  // A key is rotated once, and not while the key before it still works.
  const working = new Set(keys.filter((record) => !hasEnded(record)).map(({ keyId }) => keyId));
  const rows = keys.map((record) => {
    const { keyId, name, scopes, status, replaces, replacedBy } = record;
    const subject = name === undefined ? keyId : `${name}, ${keyId}`;
    const canRotate =
      !hasEnded(record) &&
      status !== 'paused' &&
      replacedBy === undefined &&
      !working.has(replaces);
    return createRow(
      createUserCell('Key', { user: name ?? 'Key without a name', id: keyId }),
      createStatusCell(record),
      createScopesCell(scopes),
      createUseCell(record, usage && createChart(usage, keyId)),
      createEndCell(record),
      createActionsCell(
        canRotate
          ? createActionButton('Rotate', { subject, onPress: () => rotate(record) })
          : undefined,
        hasEnded(record)
          ? undefined
          : createActionButton('Revoke', {
              subject,
              isDanger: true,
              onPress: () => revoke(record),
            }),
      ),
    );
  });
  return createTable('Keys', ['Key', 'Status', 'Scopes', 'Last used', 'Ends'], rows);
}

const hasEnded = ({ status }) => status === 'revoked' || status === 'expired';
