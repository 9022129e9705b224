/** The built-in mock keeps the promises of the port that calls over sockets keep. */
import { systemClock } from '../../src/kernel/clock.ts';
import { createInProcessUpstream } from '../../src/providers/registry.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { upstreamSuite } from './upstream-suite.ts';

upstreamSuite('mock', async () => {
  const connection = { firstTokenDelayMs: 0, tokenDelayMs: 1 };
  const random = createSeededRandom(1);
  const upstream = createInProcessUpstream(
    { kind: 'mock', connection },
    { clock: systemClock, random },
  );
  if (upstream === null) throw new Error('the mock answers in this process');
  const request = { method: 'POST', path: '/chat/completions', headers: {} } as const;
  const body = (stream: boolean): Buffer =>
    Buffer.from(
      JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hi' }], stream }),
    );
  return {
    upstream,
    plain: { ...request, body: body(false) },
    stream: { ...request, body: body(true) },
  };
});
