/**
 * The host that a request was sent to: its `host`, or what a proxy that the operator trusts
 * says it was. Nothing else ever names one: `origin` and `referer` are whatever a page says.
 *
 * Of several names in `x-forwarded-host` the last counts, which the trusted proxy wrote; those
 * before it could have been written by anybody.
 */
import type { IncomingMessage } from 'node:http';
import { hostName } from '../kernel/host-name.ts';

/** null where none is named. */
export type HostReader = (request: IncomingMessage) => string | null;

/** `isTrusted` says of an address whether it is one of the operator's proxies. */
export function createHostReader(isTrusted: (address: string) => boolean): HostReader {
  return ({ headers, socket }) => {
    const peer = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '');
    const forwarded = headers['x-forwarded-host'];
    if (forwarded !== undefined && peer !== undefined && isTrusted(peer)) {
      return hostName(String(forwarded).split(',').at(-1)?.trim() ?? '');
    }
    return hostName(headers.host ?? '');
  };
}
