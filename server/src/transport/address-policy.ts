/**
 * Which network addresses an outbound connection may go to. The operator's own configuration
 * may name any host; an address that a tenant supplied must lead to the public internet, or
 * into a range the operator allows.
 *
 * Invariant: a policy judges addresses, never names: names are judged by what they resolve to,
 * at the moment of connecting (see `pinned-lookup.ts`).
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

export interface AddressPolicy {
  /** Whether a connection to this literal IPv4 or IPv6 address is permitted. */
  allows(address: string): boolean;
}

export const anyAddress: AddressPolicy = { allows: () => true };

/** Not the public internet: IANA's special-purpose registries. */
const RESERVED_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Global unicast is 2000::/3; within it these carry other networks or lead nowhere. */
const PUBLIC_IPV6 = '2000::/3';
const RESERVED_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/**
 * Permits the public internet and the given ranges (`10.1.0.0/16`, `fd00::/8`). Throws a
 * RangeError that names the entry when one is not a range.
 */
export function publicAddressesAnd(allowedRanges: readonly string[]): AddressPolicy {
  const allowed = rangeList(allowedRanges);
  const reserved = rangeList([...RESERVED_IPV4, ...RESERVED_IPV6]);
  const publicIpv6 = rangeList([PUBLIC_IPV6]);
  return {
    allows(address) {
      const plain = withoutMapping(address);
      if (plain === null) return false;
      const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
      if (allowed.check(plain, family)) return true;
      if (reserved.check(plain, family)) return false;
      return family === 'ipv4' || publicIpv6.check(plain, family);
    },
  };
}

/** Throws a RangeError that names the entry when one is not `address/prefix`. */
function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const slash = range.lastIndexOf('/');
    const address = range.slice(0, slash);
    const prefix = range.slice(slash + 1);
    const family = isIP(address);
    if (slash < 0 || family === 0 || !/^\d{1,3}$/.test(prefix)) {
      throw new RangeError(`\`${range}\` is not an address range such as 10.0.0.0/8`);
    }
    list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** `::ffff:10.0.0.1` reaches 10.0.0.1 and is judged as it; null when it is no address. */
function withoutMapping(address: string): string | null {
  const bare = address.replace(/%.*$/, '');
  if (!isIPv6(bare)) return isIP(bare) === 4 ? bare : null;
  // The URL parser writes every spelling of a mapped address as ::ffff:a00:1.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
