/**
 * The snapshot of API keys: what it answers while keys change, while the database is away and
 * when it is old. Repository, clock and secrets are simulated; nothing sleeps.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createKeySnapshot,
  generateSecret,
  type KeyRecord,
  type KeySnapshotOptions,
} from '../../../src/identity/index.ts';
import { reachOf } from '../../../src/identity/roles.ts';
import { type Log, silentLog } from '../../../src/kernel/log.ts';
import { keyRecord } from '../../support/key-record.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createCountingRandom, createMemoryKeys, hashSecret, NOW_MS } from './fakes.ts';

const MAX_AGE_MS = 3_600_000;
const random = createCountingRandom();

function setUp(options: Partial<KeySnapshotOptions> = {}) {
  const repository = createMemoryKeys();
  const clock = createManualClock(NOW_MS);
  const snapshot = createKeySnapshot({
    repository,
    hashSecret,
    clock,
    log: silentLog,
    maxAgeMs: MAX_AGE_MS,
    adminSecret: null,
    metricsSecret: null,
    ...options,
  });
  return { repository, clock, snapshot };
}

function newKey(changes: Partial<KeyRecord> = {}): { secret: string; record: KeyRecord } {
  const secret = generateSecret(random);
  return { secret, record: keyRecord({ secretHash: hashSecret(secret), ...changes }) };
}

/** Lets what was started by a timer come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('the key snapshot', () => {
  it('knows a key by its secret and gives out an immutable principal', async () => {
    const { repository, snapshot } = setUp();
    const { secret, record } = newKey({ tenant: 'acme', models: ['fast'] });
    await repository.insert(record);
    await snapshot.start();

    const answer = snapshot.authenticate(secret);

    assert.equal(answer.kind, 'known');
    assert.equal(answer.principal.tenant, 'acme');
    assert.equal(Object.isFrozen(answer.principal), true);
    assert.equal(Object.isFrozen(answer.principal.models), true);
  });

  it('judges nobody before its first load', () => {
    const { snapshot } = setUp();

    assert.equal(snapshot.authenticate(newKey().secret).kind, 'unavailable');
  });

  it('does not know two secrets that differ in their last character by one another', async () => {
    const { repository, snapshot } = setUp();
    const { secret, record } = newKey();
    await repository.insert(record);
    await snapshot.start();
    const twin = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');

    assert.equal(snapshot.authenticate(twin).kind, 'unknown');
  });

  for (const text of [
    '',
    'x',
    'esk_',
    `esk_${'%'.repeat(43)}`,
    'a'.repeat(8192),
    '\u0000'.repeat(47),
  ]) {
    it(`does not know or hash the rubbish ${JSON.stringify(text.slice(0, 8))}`, async () => {
      let hashes = 0;
      const { snapshot } = setUp({
        hashSecret: (secret) => {
          hashes += 1;
          return hashSecret(secret);
        },
      });
      await snapshot.start();

      assert.equal(snapshot.authenticate(text).kind, 'unknown');
      assert.equal(hashes, 0);
    });
  }

  it('shows a change as soon as a refresh that was asked for afterwards resolves', async () => {
    const { repository, snapshot } = setUp();
    const { secret, record } = newKey();
    await snapshot.start();

    const early = snapshot.refresh();
    await repository.insert(record);
    await snapshot.refresh();
    await early;
    const created = snapshot.authenticate(secret).kind;
    await repository.update(record.id, null, { models: ['fast'] });
    await snapshot.refresh();
    const changed = snapshot.authenticate(secret);
    await repository.update(record.id, null, { revokedAtMs: NOW_MS });
    await snapshot.refresh();

    assert.equal(created, 'known');
    assert.deepEqual(changed.kind === 'known' && changed.principal.models, ['fast']);
    assert.equal(snapshot.authenticate(secret).kind, 'unknown');
  });

  it('reads again for a refresh asked for while another is reading', async () => {
    const { repository, snapshot } = setUp();
    const { secret, record } = newKey();
    await snapshot.start();
    const changedSince = repository.changedSince;
    let release = (): void => undefined;
    repository.changedSince = async (version) => {
      const stale = await changedSince(version);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return stale;
    };
    const reading = snapshot.refresh();
    await settle();
    repository.changedSince = changedSince;

    await repository.insert(record);
    const asked = snapshot.refresh();
    release();
    await Promise.all([reading, asked]);

    assert.equal(snapshot.authenticate(secret).kind, 'known');
  });

  it('finds by polling what nobody told it', async () => {
    const { repository, clock, snapshot } = setUp();
    const { secret, record } = newKey();
    await snapshot.start();
    await repository.insert(record);

    clock.advance(1000);
    await settle();

    assert.equal(snapshot.authenticate(secret).kind, 'known');
    snapshot.stop();
  });

  it('judges expiry on each call, at the very millisecond', async () => {
    const { repository, clock, snapshot } = setUp();
    const { secret, record } = newKey({ expiresAtMs: NOW_MS + 500 });
    await repository.insert(record);
    await snapshot.start();

    clock.advance(499);
    const before = snapshot.authenticate(secret).kind;
    clock.advance(1);

    assert.equal(before, 'known');
    assert.equal(snapshot.authenticate(secret).kind, 'expired');
  });

  it('lets known keys in while the database is down, and judges no other', async () => {
    const { repository, clock, snapshot } = setUp();
    const { secret, record } = newKey();
    await repository.insert(record);
    await snapshot.start();
    repository.isDown = true;

    clock.advance(60_000);
    await settle();

    assert.equal(snapshot.authenticate(secret).kind, 'known');
    assert.equal(snapshot.authenticate(newKey().secret).kind, 'unavailable');
    assert.equal(snapshot.state().isCurrent, false);
  });

  it('recovers by itself when the database is back', async () => {
    const { repository, clock, snapshot } = setUp();
    repository.isDown = true;
    await snapshot.start();
    const { secret, record } = newKey();
    repository.isDown = false;
    await repository.insert(record);

    clock.advance(1000);
    await settle();

    assert.equal(snapshot.authenticate(secret).kind, 'known');
    assert.equal(snapshot.authenticate(newKey().secret).kind, 'unknown');
  });

  it('tells of a recovery, and says nothing at an ordinary start', async () => {
    const told: string[] = [];
    const at = (level: string) => () => told.push(level);
    const log: Log = { ...silentLog, info: at('info'), warn: at('warn') };
    const { repository, snapshot } = setUp({ log });
    await snapshot.start();
    const atStart = [...told];
    repository.isDown = true;
    await snapshot.refresh();
    repository.isDown = false;

    await snapshot.refresh();

    assert.deepEqual(atStart, []);
    assert.deepEqual(told, ['warn', 'info']);
  });

  it('lets nobody in once it is older than its greatest age', async () => {
    const { repository, clock, snapshot } = setUp();
    const { secret, record } = newKey();
    await repository.insert(record);
    await snapshot.start();
    snapshot.stop();

    clock.advance(MAX_AGE_MS);
    const atTheLimit = snapshot.authenticate(secret).kind;
    clock.advance(1);

    assert.equal(atTheLimit, 'known');
    assert.equal(snapshot.authenticate(secret).kind, 'unavailable');
  });

  it('does not judge an unknown key when no refresh has come back for three polls', async () => {
    const { clock, snapshot } = setUp();
    await snapshot.start();
    snapshot.stop();

    clock.advance(3000);
    const inTime = snapshot.authenticate(newKey().secret).kind;
    clock.advance(1);

    assert.equal(inTime, 'unknown');
    assert.equal(snapshot.authenticate(newKey().secret).kind, 'unavailable');
  });

  it('starts over when the database was set back to an earlier version', async () => {
    const { repository, snapshot } = setUp();
    const gone = newKey({ id: 'key_gone' });
    const kept = newKey({ id: 'key_kept' });
    await repository.insert(kept.record);
    await repository.insert(gone.record);
    await snapshot.start();

    repository.restore([kept.record], 1);
    await snapshot.refresh();

    assert.equal(snapshot.authenticate(kept.secret).kind, 'known');
    assert.equal(snapshot.authenticate(gone.secret).kind, 'unknown');
  });

  it('judges no unknown key once there are more than it may hold', async () => {
    const { repository, snapshot } = setUp({ maxKeys: 1 });
    const first = newKey({ id: 'key_1' });
    const second = newKey({ id: 'key_2' });
    await repository.insert(first.record);
    await repository.insert(second.record);
    await snapshot.start();

    assert.equal(snapshot.authenticate(first.secret).kind, 'known');
    assert.equal(snapshot.authenticate(second.secret).kind, 'unavailable');
    assert.equal(snapshot.state().keys, 1);
  });

  it('knows the key of the environment as superadmin, also without a database', async () => {
    const { repository, snapshot } = setUp({ adminSecret: 'a key of any form' });
    repository.isDown = true;
    await snapshot.start();

    const answer = snapshot.authenticate('a key of any form');

    assert.equal(answer.kind === 'known' && answer.principal.roles.join(), 'superadmin');
    assert.equal(answer.kind === 'known' && answer.principal.keyId, 'key_admin');
    assert.notEqual(snapshot.authenticate('a key of any forM').kind, 'known');
  });

  it('knows the metrics key of the environment, which may do one thing alone', async () => {
    const { repository, snapshot } = setUp({
      adminSecret: 'admin-key',
      metricsSecret: 'scraper-1',
    });
    repository.isDown = true;
    await snapshot.start();

    const answer = snapshot.authenticate('scraper-1');

    assert.ok(answer.kind === 'known');
    assert.deepEqual(answer.principal.scopes, ['metrics.read']);
    assert.equal(reachOf(answer.principal, 'metrics.read'), 'own');
    for (const permission of ['models.call', 'profile.read', 'usage.read', 'keys.read'] as const) {
      assert.equal(reachOf(answer.principal, permission), null, permission);
    }
  });
});
