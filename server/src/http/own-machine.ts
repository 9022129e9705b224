/**
 * Whether a request was made on this machine, by somebody who meant this machine: over the
 * loopback, to one of its names, through no proxy that says so, and by no page of another host.
 * A page that a developer happens to visit can reach the loopback too, under any name it likes.
 */
import type { IncomingMessage } from 'node:http';
import { hostName } from '../kernel/host-name.ts';

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
const OWN_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

export function isOwnMachine({ headers, socket }: IncomingMessage): boolean {
  if (!LOOPBACK.test(socket.remoteAddress ?? '')) return false;
  if (FORWARDED.some((name) => headers[name] !== undefined)) return false;
  if (!isOwnName(headers.host)) return false;
  const { origin } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] !== 'cross-site';
  return URL.canParse(origin) && isOwnName(new URL(origin).host);
}

function isOwnName(host: string | undefined): boolean {
  return OWN_NAMES.has(hostName(host ?? '') ?? (host ?? '').replace(/:\d+$/, ''));
}
