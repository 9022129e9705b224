/**
 * Lists of networks, IPv4 and IPv6: whether an address is in one of them. An IPv4 address that
 * arrives mapped into IPv6 counts as what it is, in whatever spelling; so does a network of such
 * addresses, and one that is wider than all of them is none: it would hold far more than its
 * text says.
 */
import { BlockList, isIP, SocketAddress } from 'node:net';

export interface Networks {
  /** False for null: an address nobody knows is in no network. */
  has(address: string | null): boolean;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED_BITS = 96;

/** Reads addresses and networks (`192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`). */
export function readNetworks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const network = parse(text);
    if (network !== null) list.addSubnet(network.address, network.bits, network.family);
  }
  return {
    has(address) {
      if (address === null || isIP(address) === 0) return false;
      const plain = unmapped(address);
      return list.check(plain, familyOf(plain));
    },
  };
}

export function isNetwork(text: string): boolean {
  return parse(text) !== null;
}

/** Whether all of a network lies in one of the others. */
export function isWithin(text: string, others: readonly string[]): boolean {
  const network = parse(text);
  return others.some((other) => {
    const wider = parse(other);
    if (network === null || wider?.family !== network.family) return false;
    return wider.bits <= network.bits && readNetworks([other]).has(network.address);
  });
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: Family;
}

type Family = 'ipv4' | 'ipv6';

function parse(text: string): Network | null {
  const [written = '', prefix, ...rest] = text.split('/');
  if (isIP(written) === 0 || rest.length > 0 || written.includes('%')) return null;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return null;
  const address = unmapped(written);
  const family = familyOf(address);
  const bitsMax = family === 'ipv4' ? 32 : 128;
  const isMapped = family !== familyOf(written);
  const bits = prefix === undefined ? bitsMax : Number(prefix) - (isMapped ? MAPPED_BITS : 0);
  return bits < 0 || bits > bitsMax ? null : { address, bits, family };
}

function familyOf(address: string): Family {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** Without the wrapping of an IPv4 address into IPv6, also where that is written in hexadecimal. */
function unmapped(address: string): string {
  if (isIP(address) === 4) return address;
  const [plain = ''] = address.split('%');
  const canonical = new SocketAddress({ address: plain, family: 'ipv6' }).address;
  return MAPPED.exec(canonical)?.[1] ?? address;
}
