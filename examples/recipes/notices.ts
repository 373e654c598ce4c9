/*
 * Mails people before their keys expire. For a cron job of one process, once a day.
 *
 *   const transport = createTransport('smtp://localhost');
 *   const addressOf = (user: string) => `${user}@example.com`;
 *   const from = 'keys@example.com';
 *   await mailNotices(keys, { transport, from, addressOf, outbox: 'outbox.json' });
 *
 * A notice that was taken counts as told, also if its mail fails. So each one waits in the outbox
 * until its mail was accepted, and is sent again by the next run. If the process dies between
 * sending a mail and noting it, that mail is sent twice.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Transporter } from 'nodemailer';
import type { ApiKeyManager } from 'require-api-key';

const dayMs = 24 * 3_600_000;

export interface MailNoticesOptions {
  transport: Transporter;
  from: string;
  addressOf: (user: string) => string | Promise<string>;
  /** A file that outlives the process. */
  outbox: string;
}

interface Notice {
  keyId: string;
  user: string;
  name?: string | undefined;
  expiresAt: string;
}

/** Rejects after the last mail if one failed, so that cron tells you. */
export async function mailNotices(
  keys: ApiKeyManager,
  { transport, from, addressOf, outbox }: MailNoticesOptions,
): Promise<void> {
  // A broken outbox ends the run before anything more is taken.
  let waiting = await readOutbox(outbox);
  const taken = await keys.takeNotices({ beforeMs: [14 * dayMs, 3 * dayMs] });
  waiting = waiting.concat(
    taken.map(({ record: { keyId, user, name }, expiresAt }) => ({
      keyId,
      user,
      name,
      expiresAt: expiresAt.toISOString(),
    })),
  );
  if (taken.length > 0) await writeOutbox(outbox, waiting);

  const failures: unknown[] = [];
  for (const notice of [...waiting]) {
    const { keyId, user, name = keyId, expiresAt } = notice;
    try {
      await transport.sendMail({
        from,
        to: await addressOf(user),
        subject: `Your API key "${name}" expires soon`,
        text: `Your API key ${keyId} stops working on ${expiresAt}. Please replace it before.`,
      });
    } catch (error) {
      failures.push(error);
      continue;
    }
    waiting = waiting.filter((each) => each !== notice);
    await writeOutbox(outbox, waiting);
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} notices were not sent: see ${outbox}`);
}

async function readOutbox(file: string): Promise<Notice[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Notice[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** All or nothing: a crash leaves the outbox from before. */
async function writeOutbox(file: string, waiting: readonly Notice[]): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(waiting, null, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
