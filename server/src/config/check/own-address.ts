/**
 * A provider at the gateway's own address would be the gateway: each call would call it again,
 * until its limits end it. Told where the addresses say so by themselves; names are not looked
 * up, and what stands before the gateway is not known here.
 */
import { type CheckInput, type Report, refuse } from './report.ts';

const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export function checkOwnAddress(input: CheckInput, report: Report): void {
  const { host, port, providers } = input.settings;
  for (const [name, provider] of Object.entries(providers)) {
    if (!('base_url' in provider) || provider.base_url === undefined) continue;
    const url = new URL(provider.base_url);
    const urlPort = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (port === 0 || urlPort !== port || !isSameHost(host, url.hostname)) continue;
    const message = `${provider.base_url} is where this gateway listens: it would call itself`;
    const accepted = 'the address of another server, or another port for this one';
    refuse(report, input, ['providers', name, 'base_url'], `${message}; accepted: ${accepted}`);
  }
}

function isSameHost(listening: string, called: string): boolean {
  const own = plain(listening);
  const other = plain(called);
  if (own === other) return true;
  if (WILDCARDS.includes(own)) return isLoopback(other) || WILDCARDS.includes(other);
  return isLoopback(own) && (other === 'localhost' || own === 'localhost') && isLoopback(other);
}

function plain(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
