/** What is wrong with an argument. */
interface ArgumentProblem {
  readonly option?: string | undefined;
  readonly expected?: string | undefined;
}

/** An argument is of a wrong type or form. Prints no value, which could be a key. */
export class ArgumentError extends TypeError {
  /** The function or method that was called. */
  readonly caller: string;
  /** The option that is wrong. Absent if the options as a whole are wrong. */
  readonly option: string | undefined;
  /** What the option must be. */
  readonly expected: string | undefined;

  constructor(caller: string, message: string, { option, expected }: ArgumentProblem = {}) {
    super(`${caller}: ${message}`);
    this.caller = caller;
    this.option = option;
    this.expected = expected;
  }
}

/** An argument is out of its bounds. */
export class ArgumentRangeError extends RangeError {
  /** The function or method that was called. */
  readonly caller: string;
  /** The option that is out of its bounds. */
  readonly option: string;
  /** What the option must be. */
  readonly expected: string;

  constructor(caller: string, option: string, expected: string, received?: string) {
    const end = received === undefined ? '' : `; received ${received}`;
    super(`${caller}: "${option}" must be ${expected}${end}`);
    this.caller = caller;
    this.option = option;
    this.expected = expected;
  }
}

/** Whether the caller's arguments are at fault, for code that passes them on. */
export const isArgumentError = (error: unknown): error is ArgumentError | ArgumentRangeError =>
  error instanceof ArgumentError || error instanceof ArgumentRangeError;

/** Says what an option must be, or nothing if the value is right. */
export type Check = (value: unknown) => string | undefined;

/** One check for each option of a type. The compiler reports an option without a check. */
export type Checks<Options> = { readonly [Name in keyof Options]-?: Check };

/**
 * Returns a copy of the caller's options, each checked. Absent and `undefined` ones are left out.
 *
 * @param neverUndefined options that may be absent, but not `undefined`. Out of a misspelled
 *   variable, that would open what the option was meant to close
 * @throws {ArgumentError} that names the option and never prints its value, which could be a key.
 */
export function checkOptions<Options extends object>(
  caller: string,
  options: unknown,
  checks: Checks<Options>,
  neverUndefined: readonly (keyof Options & string)[] = [],
): Options {
  if (options === undefined) return Object.create(null) as Options;
  if (!isPlainObject(options)) {
    throw new ArgumentError(
      caller,
      `the options must be a plain object; received ${describe(options)}`,
    );
  }
  const known = Object.keys(checks);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new ArgumentError(caller, unknownName(name, known));
  }
  // Without a prototype, because a polluted `Object.prototype` must not open a guard.
  const checked = Object.create(null) as Record<string, unknown>;
  for (const name of known) {
    const isGiven = Object.hasOwn(options, name);
    const value = isGiven ? options[name] : undefined;
    const isAbsent = !isGiven || !neverUndefined.some((each) => each === name);
    if (value === undefined && isAbsent) continue;
    assertArgument(caller, `"${name}"`, value, checks[name as keyof Options]);
    checked[name] = value;
  }
  return checked as Options;
}

/**
 * Whether a value is an object but not an instance of a class. A `Map`, or a promise that nobody
 * awaited, has none of the options and would mean the defaults.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm count too. Under Jest, `Object.prototype` is not the one of this file.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype as object, 'hasOwnProperty'))
  );
}

/** @throws {ArgumentError} if the value fails its check. */
export function assertArgument(caller: string, name: string, value: unknown, check: Check): void {
  const expected = check(value);
  if (expected === undefined) return;
  const message = `${name} must be ${expected}; received ${describe(value)}`;
  throw new ArgumentError(caller, message, { option: name.replaceAll('"', ''), expected });
}

/** @throws {ArgumentRangeError} if a number is not an integer within its bounds. */
export function assertRange(
  caller: string,
  name: string,
  value: number | undefined,
  from: number,
  to: number,
): void {
  if (value === undefined || (Number.isInteger(value) && value >= from && value <= to)) return;
  throw new ArgumentRangeError(caller, name, `an integer from ${from} to ${to}`, String(value));
}

/** A value by its type and length only: what was passed by mistake may well be a key. */
export function describe(value: unknown): string {
  if (value === undefined || value === null || Number.isNaN(value)) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function unknownName(name: string, known: readonly string[]): string {
  // Only what looks like an option's name is repeated and guessed at. Anything else may be a key in
  // the wrong place.
  const isPlain = /^\w{1,24}$/.test(name);
  const nearest = isPlain && nearestName(name, known);
  const hint = nearest
    ? `did you mean "${nearest}"?`
    : `known are ${known.map((each) => `"${each}"`).join(', ')}`;
  return `unknown option${isPlain ? ` "${name}"` : ''}; ${hint}`;
}

/** The known name that shares most letters. A mistyped name keeps nearly all of them. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const shares = known.map((each) => (shared(name, each) + shared(each, name)) / 2);
  const best = Math.max(...shares);
  return best >= 0.75 ? known[shares.indexOf(best)] : undefined;
}

/** Which share of the letters of `name` the other name has, from 0 to 1. */
const shared = (name: string, other: string) =>
  Array.from(name.toLowerCase()).filter((letter) => other.toLowerCase().includes(letter)).length /
  name.length;

// RFC 9110, section 5.6.2
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export const mustBeString: Check = (value) => (typeof value === 'string' ? undefined : 'a string');

export const mustBeBoolean: Check = (value) =>
  typeof value === 'boolean' ? undefined : 'true or false';

export const mustBeFunction: Check = (value) =>
  typeof value === 'function' ? undefined : 'a function';

export const mustBeToken: Check = (value) =>
  typeof value === 'string' && token.test(value) ? undefined : 'a single word without blanks';

export const mustBeHeaderName: Check = (value) => {
  if (typeof value !== 'string' || !token.test(value)) return 'the name of a header';
  // A cookie is sent by browsers on their own, so a key in it would make every guarded route
  // forgeable from other sites.
  return /^(set-)?cookie$/i.test(value)
    ? 'the name of a header other than a cookie header'
    : undefined;
};

/** Text that fits into a quoted-string without breaking the header line it stands in. */
export const mustBeQuotable: Check = (value) =>
  typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)
    ? undefined
    : 'a string of printable ASCII characters';

/**
 * Without control characters, and without halves of surrogate pairs, which databases refuse or
 * replace.
 */
// oxlint-disable-next-line no-control-regex
export const isPrintable = (text: string) => !/[\x00-\x1f\x7f-\x9f\ud800-\udfff]/u.test(text);

/**
 * A name for logs and lists: not blank, and no control character that could forge a line in them.
 */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && isPrintable(value);

export const mustBeName: Check = (value) =>
  isName(value) ? undefined : 'a string, not blank, without control characters';

/**
 * A scope by the grammar of RFC 6749, section 3.3: printable ASCII without blank, quote and
 * backslash.
 */
const isScope = (value: unknown): value is string =>
  typeof value === 'string' && /^[!#-[\]-~]+$/.test(value);

export const isScopes = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(isScope);

export const mustBeScope: Check = (value) =>
  isScope(value) ? undefined : 'a scope without blanks, quotes or backslashes';

export const mustBeScopes: Check = (value) =>
  isScopes(value) ? undefined : 'an array of scopes without blanks, quotes or backslashes';

export const mustBeInteger =
  (from: number, to: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= from && (value as number) <= to
      ? undefined
      : `an integer from ${from} to ${to}`;
