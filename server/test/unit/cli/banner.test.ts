/**
 * What a person reads when the gateway is up. The language is the only thing that is not given
 * by the test.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BannerFacts, banner } from '../../../src/cli/banner.ts';
import { MESSAGES } from '../../../src/cli/messages/index.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

const terminal: Terminal = {
  write: () => undefined,
  writeError: () => undefined,
  style: (style, text) => (style === 'yellow' ? `<${text}>` : text),
  isInteractive: true,
  locale: 'en-GB',
};
const facts: BannerFacts = {
  url: 'http://127.0.0.1:8000',
  warnings: [],
  workers: 1,
  administeredBy: null,
  firstKey: null,
  firstAdmin: null,
  curl: null,
};
const show = (changes: Partial<BannerFacts>): string =>
  banner({ say: MESSAGES.en, terminal }, { ...facts, ...changes });

describe('the banner', () => {
  it('is two lines on any start but the first', () => {
    assert.equal(
      show({}),
      `Esclusa is ready: http://127.0.0.1:8000
Reference:        http://127.0.0.1:8000/docs
`,
    );
  });

  it('says by whose key it is administered, where nobody is told of another way', () => {
    const [, , byKey = ''] = show({ administeredBy: 'key' }).split('\n');
    const [, , both = ''] = show({ administeredBy: 'key_and_sign_in' }).split('\n');

    assert.match(byKey, /^Administered by: {2}the key in ESCLUSA_ADMIN_KEY\..*users create/);
    assert.match(both, /^Administered by: {2}the key in ESCLUSA_ADMIN_KEY;.*ESCLUSA_ADMIN_EMAIL/);
  });

  it('shows the first key and what to do with it, apart from the rest', () => {
    assert.equal(
      show({ firstKey: 'esk_first', curl: 'curl …' }),
      `Esclusa is ready: http://127.0.0.1:8000
Reference:        http://127.0.0.1:8000/docs

This is the first start. An API key of an administrator, shown this once:
  esk_first

Try it:
  curl …

`,
    );
  });

  it('shows who can sign in, and a password only where it was made up', () => {
    const made = { email: 'admin@esclusa.local', password: 'aB3.x' };

    const shown = show({ firstKey: 'esk_first', firstAdmin: made });
    const own = show({ firstAdmin: { email: 'ops@example.org', password: null } });

    assert.match(shown, /signs in with this, shown this once:\n {2}admin@esclusa.local {2}aB3.x\n/);
    assert.match(own, /:\n {2}ops@example.org\n\n$/);
  });

  it('tells every warning of the configuration in one line', () => {
    const place = { kind: 'environment', name: 'DB_POOL_SIZE' } as const;
    const warnings = [{ place, path: [], message: 'has no effect yet' }];

    assert.match(show({ warnings }), /\n<! environment DB_POOL_SIZE — has no effect yet>\n$/);
  });
});
