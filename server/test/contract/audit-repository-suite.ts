/** What every keeper of the audit log promises (`identity/ports/audit-repository.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createSeal, verifyChain } from '../../src/identity/index.ts';
import type { AuditEvent, AuditRepository } from '../../src/identity/ports/audit-repository.ts';

const seal = createSeal(Buffer.alloc(32, 5));

export function auditRepositorySuite(
  name: string,
  open: (t: TestContext) => Promise<{
    readonly audit: AuditRepository;
    /** A second process on the same data. */
    readonly twin: AuditRepository;
  }>,
): void {
  test(`${name}: events are read back whole, in the order of the chain`, async (t) => {
    const { audit } = await open(t);
    const full: AuditEvent = {
      ...event('keys.create'),
      subject: 'key_1',
      address: '192.0.2.7',
      requestId: 'req_1',
      details: { models: ['fast'], count: 3, note: null, flag: true },
    };

    await audit.append([full, event('keys.revoke')], seal);
    const [first, second] = await audit.scan(0, 10);

    assert.deepEqual(first, { ...full, sequence: 1, hash: seal(full, 1, '') });
    assert.equal(second?.sequence, 2);
    assert.deepEqual(await audit.head(), { sequence: 2, hash: second.hash });
  });

  test(`${name}: pages come newest first and stay inside the tenant`, async (t) => {
    const { audit } = await open(t);
    const tenants = ['acme', 'default', 'acme', 'acme'];
    await audit.append(
      tenants.map((tenant) => ({ ...event('x'), tenant })),
      seal,
    );

    const acme = await audit.list({ tenant: 'acme', limit: 2, before: null });
    const rest = await audit.list({ tenant: 'acme', limit: 2, before: 3 });
    const all = await audit.list({ tenant: null, limit: 9, before: null });

    assert.deepEqual(
      acme.map(({ sequence }) => sequence),
      [4, 3],
    );
    assert.deepEqual(
      rest.map(({ sequence }) => sequence),
      [1],
    );
    assert.equal(all.length, 4);
  });

  test(`${name}: two processes that append at once make one whole chain`, async (t) => {
    const { audit, twin } = await open(t);

    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? audit : twin).append([event(`a.${index}`), event(`b.${index}`)], seal),
      ),
    );
    const verdict = await verifyChain(audit, seal);

    assert.equal(verdict.kind, 'whole');
    assert.equal(verdict.entries, 40);
  });
}

function event(action: string): AuditEvent {
  return {
    atMs: 1_700_000_000_000,
    tenant: 'default',
    actor: 'usr_1',
    action,
    subject: null,
    outcome: 'success',
    address: null,
    requestId: null,
    details: {},
  };
}
