import { certificateReasons, networkReasons } from '../network-reasons.js';

/** A failure of the driver or the server. */
export interface DriverError {
  /** The code of the system or Node, or an SQLSTATE. Empty if there is none. */
  readonly code: string;
  /** The words of the server or the driver. */
  readonly words: string;
}

/** One line of the table. The first line that applies explains the failure. */
interface Row {
  readonly codes?: readonly string[];
  readonly words?: RegExp;
  readonly why: string;
  readonly remedy?: string;
}

const trust =
  'put the certificate of the authority that signed it into the URL: ' +
  'sslmode=verify-full&sslrootcert=<file>';
const renew = 'renew the certificate on the server';

const rows: readonly Row[] = [
  // Connections
  {
    codes: ['ENOENT'],
    why: 'there is no such socket',
    remedy: 'check the folder: the server names it with "show unix_socket_directories"',
  },
  {
    codes: ['EACCES'],
    words: /connect/,
    why: 'this user of the machine may not use the socket',
  },
  {
    // The driver gives the errors of a connection that does not come in time no code.
    words: /timeout exceeded|connection timeout/i,
    why: networkReasons.ETIMEDOUT,
  },
  ...Object.entries(networkReasons).map(([code, why]) => ({ codes: [code], why })),
  {
    words: /^Connection terminated/,
    why: networkReasons.ECONNRESET,
  },

  // TLS
  {
    codes: ['CERT_HAS_EXPIRED'],
    why: certificateReasons.CERT_HAS_EXPIRED,
    remedy: renew,
  },
  {
    codes: ['CERT_NOT_YET_VALID'],
    why: certificateReasons.CERT_NOT_YET_VALID,
    remedy: 'check the clocks of both machines',
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    why: certificateReasons.ERR_TLS_CERT_ALTNAME_INVALID,
    remedy:
      `name the host in the URL as the certificate does, or ${renew} with this name; ` +
      'sslrootcert=<file> does not help here',
  },
  ...Object.entries(certificateReasons).map(([code, why]) => ({
    codes: [code],
    why: `${why}, so it is not trusted`,
    remedy: trust,
  })),
  {
    words: /PEM routines|DECODER routines|key values mismatch/,
    why: 'the files of sslcert and sslkey hold no certificate and key that belong together',
    remedy: 'give both in PEM form, the key without a passphrase',
  },
  {
    words: /alert (unknown ca|bad certificate|certificate)/i,
    why: 'it does not trust the certificate of the client',
    remedy: 'check sslcert=<file> in the URL against ssl_ca_file of the server',
  },
  {
    words: /server does not support SSL/i,
    why: 'it does not speak TLS',
    remedy:
      'switch TLS on at the server ("ssl = on"), or on a network of your own write ' +
      'sslmode=disable in the URL',
  },
  {
    words: /error establishing an SSL connection/i,
    why: 'it refuses TLS, or is no PostgreSQL server',
    remedy: 'check host and port',
  },
  {
    codes: ['28000'],
    words: /client certificate/i,
    why: 'it asks for a certificate of the client',
    remedy: 'put sslcert=<file>&sslkey=<file> into the URL',
  },
  {
    codes: ['28000', '08P01'],
    words: /no encryption|(ssl|tls) (is )?required|connection is insecure/i,
    why: 'it refuses connections without TLS, or this user altogether',
    remedy: 'ask for TLS in the URL: sslmode=require, or sslmode=verify-full',
  },

  // Log-in
  {
    codes: ['28000'],
    words: /pg_hba\.conf/,
    why: 'the user may not log in from this machine',
    remedy: 'add a line to pg_hba.conf of the server, and reload it',
  },
  { codes: ['28000'], why: 'the user may not log in' },
  { codes: ['28P01'], why: 'the user or the password is wrong' },
  {
    words: /client password must be a string|password must not be empty/i,
    why: 'it asks for a password, and none is set',
    remedy: 'put the password into the URL, percent-encoded, or into PGPASSWORD',
  },
  { words: /SASL|SCRAM/, why: 'the log-in failed' },
  { codes: ['3D000'], why: 'there is no database of this name' },
  { words: /no such database/i, why: 'there is no database of this name' },
  {
    codes: ['53300'],
    why: 'it has no free connection',
    remedy: 'close other connections, or raise max_connections of the server',
  },
  {
    words: /no more connections allowed|query_wait_timeout/i,
    why: 'it has no free connection',
    remedy: 'close other connections, or raise the limits of the pooler',
  },
  {
    words: /unsupported startup parameter/i,
    why: 'the pooler refuses a parameter of the connection',
    remedy:
      'remove the parameter from the URL and PGOPTIONS, or add it to ignore_startup_parameters ' +
      'of PgBouncer',
  },
  {
    codes: ['57P03'],
    words: /standby|recovery/i,
    why: 'it is a standby that takes no queries yet',
    remedy: 'name the primary server',
  },
  {
    codes: ['57P03'],
    words: /shutting down/i,
    why: 'it is shutting down',
  },
  { codes: ['57P03'], why: 'it is starting up; try again in a minute' },
  { codes: ['57P01', '57P02'], why: 'it was shut down, or an operator closed the connection' },

  // What it cannot do
  {
    codes: ['25006'],
    why: 'it is read-only: a standby, or default_transaction_read_only is on',
    remedy: 'name the primary server',
  },
  { codes: ['53100'], why: 'its disk is full' },
];

/** Why a database cannot be used, or `undefined` if only the words tell. */
export function reasonFor(
  fault: DriverError,
): { why: string; remedy?: string | undefined } | undefined {
  return rows.find(
    ({ codes, words }) =>
      (codes === undefined || codes.includes(fault.code)) &&
      (words === undefined || words.test(fault.words)),
  );
}
