import type { BlockList } from 'node:net';

/** Loaded late, because only a key that works from certain addresses needs it. */
const net = () => process.getBuiltinModule('node:net');

/** One IP address, or all addresses that share its first `prefix` bits. */
interface AddressBlock {
  readonly address: string;
  readonly family: 4 | 6;
  /** How many bits are fixed. */
  readonly prefix: number;
}

/** Splits `203.0.113.7` or `203.0.113.0/24`. `undefined` if the text is neither. */
function parseAddressBlock(text: string): AddressBlock | undefined {
  // A zone id behind `%` means something on one machine only.
  const [, address = '', digits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const family = net().isIP(address);
  if (family !== 4 && family !== 6) return undefined;
  const bits = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix > bits ? undefined : { address, family, prefix };
}

/** Why a text is no rule for addresses. `undefined` if it is one. */
export function addressProblem(text: unknown): string | undefined {
  const block = typeof text === 'string' ? parseAddressBlock(text) : undefined;
  if (!block) return 'is no IP address or CIDR block';
  const bytes = bytesOf(block);
  if (bytes.some((byte, index) => (byte & (0xff >> fixedBits(block, index))) !== 0))
    return 'has bits set behind its prefix';
  // Requests over IPv4 are matched with IPv4 rules, however their address is written.
  return isMapped(bytes) ? 'is an IPv4 address written as IPv6' : undefined;
}

/** How many bits of a byte are part of the prefix, 0 to 8. */
const fixedBits = ({ prefix }: AddressBlock, index: number) =>
  Math.min(Math.max(prefix - 8 * index, 0), 8);

const isMapped = (bytes: readonly number[]) =>
  bytes.length === 16 &&
  bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff));

function bytesOf({ address, family }: AddressBlock): number[] {
  if (family === 4) return address.split('.').map(Number);
  const [, start = address, last] = /^(.*:)([\d.]+\.\d+)$/.exec(address) ?? [];
  const written = last === undefined ? start : start + hexOf(last);
  const [head = [], tail = []] = written.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The last 32 bits of an IPv6 address, written as IPv4, in two groups. */
function hexOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Whether it is an IPv4 address written as IPv6 (RFC 4291, section 2.5.5.2). */
function isMappedAddress(address: string): boolean {
  mapped ??= createMapped();
  return mapped.check(address, 'ipv6');
}

let mapped: BlockList | undefined;

function createMapped(): BlockList {
  const block = new (net().BlockList)();
  block.addSubnet('::ffff:0:0', 96, 'ipv6');
  return block;
}

/** A list of addresses and blocks of addresses. */
export class AddressList {
  readonly #ipv4 = new (net().BlockList)();
  // A list of its own, because in a common one `::/0` would let in every IPv4 address as well.
  readonly #ipv6 = new (net().BlockList)();

  /** Reads the rules. Returns `undefined` if one of them is no rule. */
  static from(rules: readonly unknown[]): AddressList | undefined {
    const list = new AddressList();
    for (const rule of rules) {
      const block = typeof rule === 'string' ? parseAddressBlock(rule) : undefined;
      if (!block) return undefined;
      const { address, prefix, family } = block;
      if (family === 4) list.#ipv4.addSubnet(address, prefix, 'ipv4');
      else list.#ipv6.addSubnet(address, prefix, 'ipv6');
    }
    return list;
  }

  /** Whether the list holds an address. An IPv4 address may be written as IPv6. */
  has(address: string): boolean {
    const family = net().isIP(address);
    if (family === 4) return this.#ipv4.check(address, 'ipv4');
    if (family !== 6) return false;
    return (isMappedAddress(address) ? this.#ipv4 : this.#ipv6).check(address, 'ipv6');
  }
}
