import { describe, expect, it } from 'vitest';
import { addressProblem, AddressList } from '../../src/lib/addresses.js';

describe('a rule for addresses', () => {
  it.each([
    '203.0.113.7',
    '203.0.113.0/24',
    '203.0.113.7/32',
    '0.0.0.0/0',
    '2001:db8::/48',
    '2001:db8::1',
    '2001:DB8:0:0:0:0:0:1/128',
    '::/0',
    '::1',
    '64:ff9b::192.0.2.1',
    '64:ff9b::192.0.2.0/120',
    '64:ff9b::193.0.2.10/127',
  ])('%s -> is one', (rule) => {
    expect(addressProblem(rule)).toBeUndefined();
  });

  it.each([
    ['a host name', 'example.com', 'is no IP address'],
    ['an empty text', '', 'is no IP address'],
    ['a number', 7, 'is no IP address'],
    ['a list of one', ['203.0.113.7'], 'is no IP address'],
    ['a prefix that is too long', '203.0.113.0/33', 'is no IP address'],
    ['an IPv6 prefix that is too long', '2001:db8::/129', 'is no IP address'],
    ['an empty prefix', '203.0.113.0/', 'is no IP address'],
    ['a prefix with a zero in front', '203.0.113.0/08', 'is no IP address'],
    ['two prefixes', '203.0.113.0/24/24', 'is no IP address'],
    ['a netmask', '203.0.113.0/255.255.255.0', 'is no IP address'],
    ['a number with a zero in front', '203.0.113.07', 'is no IP address'],
    ['a blank', '203.0.113.7 ', 'is no IP address'],
    ['a zone id', 'fe80::1%eth0', 'is no IP address'],
    ['bits behind the prefix', '203.0.113.7/24', 'has bits set behind its prefix'],
    ['one bit behind the prefix', '203.0.113.128/24', 'has bits set behind its prefix'],
    ['a bit behind an uneven prefix', '203.0.113.4/29', 'has bits set behind its prefix'],
    ['bits behind an IPv6 prefix', '2001:db8::1/48', 'has bits set behind its prefix'],
    ['bits behind no prefix at all', '128.0.0.0/0', 'has bits set behind its prefix'],
    ['IPv4 written as IPv6', '::ffff:203.0.113.7', 'is an IPv4 address written as IPv6'],
    ['the same with all zeros', '0:0:0:0:0:ffff:cb00:7107', 'is an IPv4 address written as IPv6'],
    ['bits behind a prefix, as IPv4 at the end', '::1.0.0.0/100', 'has bits set behind its prefix'],
    ['bits further on, as IPv4 at the end', '::0.0.1.0/116', 'has bits set behind its prefix'],
    ['the same in hexadecimal', '::ffff:cb00:7107', 'is an IPv4 address written as IPv6'],
  ])('%s -> is none', (_what, rule, problem) => {
    expect(addressProblem(rule)).toContain(problem);
  });
});

describe('a list of addresses', () => {
  const list = AddressList.from(['203.0.113.0/24', '2001:db8::/48', '198.51.100.7'])!;

  it.each([
    ['203.0.113.255', true],
    ['203.0.114.0', false],
    ['198.51.100.7', true],
    ['198.51.100.8', false],
    ['::ffff:203.0.113.9', true],
    ['::FFFF:cb00:7109', true],
    ['::ffff:203.0.114.9', false],
    ['2001:db8:0:1::1', true],
    ['2001:db8:1::1', false],
    ['2001:db8::1%eth0', true],
    ['', false],
    ['203.0.113.9:443', false],
    ['unknown', false],
  ])('%s -> %s', (address, expected) => {
    expect(list.has(address)).toBe(expected);
  });

  it('every IPv6 address -> no IPv4 address, however it is written; and the other way round', () => {
    const [v6, v4] = [AddressList.from(['::/0'])!, AddressList.from(['0.0.0.0/0'])!];
    expect([v6.has('2001:db8::1'), v6.has('1.2.3.4'), v6.has('::ffff:1.2.3.4')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([v4.has('2001:db8::1'), v4.has('1.2.3.4'), v4.has('::ffff:1.2.3.4')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('a rule that is none -> no list', () => {
    expect(AddressList.from(['203.0.113.0/24', 'example.com'])).toBeUndefined();
    expect(AddressList.from([7])).toBeUndefined();
    expect(AddressList.from([['203.0.113.7']])).toBeUndefined();
  });
});
