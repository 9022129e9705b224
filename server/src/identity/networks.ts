/**
 * Lists of networks, IPv4 and IPv6: whether an address is in one of them. An IPv4 address that
 * arrives mapped into IPv6 counts as what it is.
 */
import { BlockList, isIP } from 'node:net';

export interface Networks {
  /** False for null: an address nobody knows is in no network. */
  has(address: string | null): boolean;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Reads addresses and networks (`192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`). */
export function readNetworks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const network = parse(text);
    if (network !== null) list.addSubnet(network.address, network.bits, network.family);
  }
  return {
    has(address) {
      if (address === null) return false;
      const plain = MAPPED.exec(address)?.[1] ?? address;
      const version = isIP(plain);
      return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
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
    const isWider = network !== null && wider !== null && wider.bits <= network.bits;
    return isWider && readNetworks([other]).has(network.address);
  });
}

function parse(text: string) {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bitsMax = version === 4 ? 32 : 128;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return null;
  const bits = prefix === undefined ? bitsMax : Number(prefix);
  if (bits > bitsMax) return null;
  return { address, bits, family: version === 4 ? ('ipv4' as const) : ('ipv6' as const) };
}
