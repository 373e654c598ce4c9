import { relative, resolve } from 'node:path';
import { type LocalPostgres, startLocalPostgres } from '../../scripts/postgres/local-postgres.js';

const FOLDER = '.postgres';

try {
  const postgres = await startLocalPostgres(FOLDER);
  process.env['DATABASE_URL'] = postgres.url;
  // The server has ended: it closed what it had open, so that nothing else was left to do.
  process.once('beforeExit', () => void postgres.stop());
  console.log(whereItIs(postgres));
} catch (error) {
  console.error(
    `PostgreSQL cannot be started: ${error instanceof Error ? error.message : String(error)}.`,
  );
  process.exit(1);
}
await import('./server.js');

function whereItIs({ folder, urlFile }: LocalPostgres): string {
  const isElsewhere = relative(FOLDER, folder) !== '';
  const where = isElsewhere
    ? `${folder}, because the user that it runs as cannot enter the folder ${FOLDER} here`
    : `the folder ${FOLDER}`;
  return `PostgreSQL runs, and keeps its data in ${where}. For other programs:

export DATABASE_URL="$(cat '${resolve(urlFile)}')"
`;
}
