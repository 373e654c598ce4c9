/** Why a server gave no answer, by the code of the system's error. */
export const networkReasons = {
  ECONNREFUSED: 'the connection was refused (nothing listens there)',
  ECONNRESET: 'the connection was closed before an answer came',
  EPIPE: 'the connection was closed before an answer came',
  ENOTFOUND: 'no host has this name',
  EAI_AGAIN: 'the host name cannot be looked up at the moment',
  ETIMEDOUT: 'no answer came in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
} as const;
