/** Whose host was called: of the connection itself, or as a trusted proxy says. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createOriginReader } from '../../../src/http/request-origin.ts';

const HOSTS = new Map([
  ['acme.example', 'acme'],
  ['globex.example', 'globex'],
]);

function tenantOf(peer: string, headers: Readonly<Record<string, string>>): string | null {
  const read = createOriginReader((address) => address === '10.0.0.1', {
    hasHosts: () => true,
    tenantOfHost: (host) => HOSTS.get(host) ?? null,
  });
  const request = { headers, socket: { remoteAddress: peer } };
  return read(request as unknown as IncomingMessage).tenant();
}

test('a host names its tenant in any spelling', () => {
  assert.equal(tenantOf('192.0.2.1', { host: 'ACME.example.:8443' }), 'acme');
});

test('a host that belongs to nobody names no tenant', () => {
  assert.equal(tenantOf('192.0.2.1', { host: 'other.example' }), null);
  assert.equal(tenantOf('192.0.2.1', {}), null);
});

test('origin, referer and x-tenant never name a tenant', () => {
  const headers = {
    host: 'other.example',
    origin: 'https://acme.example',
    referer: 'https://acme.example/',
    'x-tenant': 'acme',
    'x-tenant-id': 'acme',
  };
  assert.equal(tenantOf('10.0.0.1', headers), null);
});

test('x-forwarded-host counts from a trusted proxy alone', () => {
  const headers = { host: 'globex.example', 'x-forwarded-host': 'acme.example' };

  assert.equal(tenantOf('10.0.0.1', headers), 'acme');
  assert.equal(tenantOf('::ffff:10.0.0.1', headers), 'acme');
  assert.equal(tenantOf('192.0.2.1', headers), 'globex');
});

test('of several forwarded hosts the one that the trusted proxy wrote counts', () => {
  const headers = { host: 'inner', 'x-forwarded-host': 'acme.example, globex.example' };

  assert.equal(tenantOf('10.0.0.1', headers), 'globex');
});

test('a forwarded host that is no name falls back to nothing', () => {
  const headers = { host: 'acme.example', 'x-forwarded-host': 'a@b' };

  assert.equal(tenantOf('10.0.0.1', headers), null);
});
