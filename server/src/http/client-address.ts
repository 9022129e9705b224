/**
 * Where a request comes from: the other end of its connection. Only where that is a proxy the
 * operator trusts does `x-forwarded-for` count, read from its end: what stands before the first
 * address that is no trusted proxy could have been written by anybody.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** null where it is unknown. */
export type AddressReader = (request: IncomingMessage) => string | null;

const HOPS_MAX = 32;

/** `isTrusted` says of an address whether it is one of the operator's proxies. */
export function createAddressReader(isTrusted: (address: string) => boolean): AddressReader {
  return (request) => {
    const peer = plain(request.socket.remoteAddress ?? null);
    if (peer === null || !isTrusted(peer)) return peer;
    const hops = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .slice(-HOPS_MAX)
      .map((hop) => hop.trim());
    let nearest = peer;
    for (const hop of hops.reverse()) {
      const address = plain(hop);
      if (address === null) return nearest;
      nearest = address;
      if (!isTrusted(address)) return nearest;
    }
    return nearest;
  };
}

/** An IPv4 address as itself, also where it comes mapped into IPv6; null for anything else. */
function plain(text: string | null): string | null {
  if (text === null) return null;
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? null : address;
}
