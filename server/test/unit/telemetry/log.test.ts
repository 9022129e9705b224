/**
 * Goal: a log line has the documented shape, carries the identifiers of its exchange and
 * nothing it must not. Method: lines captured in memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { writeExchangeLine } from '../../../src/telemetry/exchange-line.ts';
import { createLogScope } from '../../../src/telemetry/log-scope.ts';
import { captureLog, endedExchange } from './exchanges.ts';

const CLOCK = { ...systemClock, wallMs: () => Date.UTC(2026, 10, 20, 14, 2, 11, 7) };

test('a line has level, timestamp, logger, message and context, then its fields', () => {
  const captured = captureLog({ clock: CLOCK });

  captured.named('storage').warn('the journal is full', { bytes: 12, max_bytes: 10 });

  assert.deepEqual(captured.only(), {
    level: 'warn',
    timestamp: '2026-11-20T14:02:11.007Z',
    logger: 'storage',
    context: { service: 'esclusa' },
    bytes: 12,
    max_bytes: 10,
    message: 'the journal is full',
  });
});

test('where several processes write to one output a line names its own', () => {
  const captured = captureLog({ worker: 4711 });

  captured.log.info('within the crew');

  assert.deepEqual(captured.only().context, { service: 'esclusa', worker: 4711 });
});

test('lines within an exchange carry its identifiers through every async step', async () => {
  const scope = createLogScope();
  const captured = captureLog({ scope });
  const traceId = 'f'.repeat(32);
  const ids = { requestId: 'req_1', correlationId: 'corr_1', tenant: 'acme', traceId };

  await scope.run(ids, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    captured.log.info('within');
  });
  captured.log.info('outside');

  const [within, outside] = captured.lines.map((line) => JSON.parse(line));
  assert.deepEqual(within.context, {
    service: 'esclusa',
    request_id: 'req_1',
    correlation_id: 'corr_1',
    tenant: 'acme',
    trace_id: traceId,
  });
  assert.deepEqual(outside.context, { service: 'esclusa' });
});

test('identifiers given as fields go into the context', () => {
  const captured = captureLog();

  captured.log.info('refused', { request_id: 'req_2', status: 401 });

  const line = captured.only();
  assert.deepEqual(line.context, { service: 'esclusa', request_id: 'req_2' });
  assert.equal('request_id' in line, false);
});

test('an error becomes an exception with type, message and traceback', () => {
  const captured = captureLog();

  captured.log.error('failed', { error: new RangeError('too far') });

  const { exception, error } = captured.only() as {
    exception: Record<string, string>;
    error: unknown;
  };
  assert.equal(exception.type, 'RangeError');
  assert.equal(exception.message, 'too far');
  assert.match(exception.traceback ?? '', /log\.test\.ts/);
  assert.equal(error, undefined);
});

test('fields cannot overwrite the line’s own members', () => {
  const captured = captureLog();

  captured.log.info('real', { message: 'forged', level: 'forged', timestamp: 'forged' });

  const line = captured.only();
  assert.equal(line.message, 'real');
  assert.equal(line.level, 'info');
  assert.equal(line.message_, 'forged');
});

test('a level below the configured one is not written', () => {
  const captured = captureLog({ level: 'warn' });

  captured.log.debug('no');
  captured.log.info('no');
  captured.log.warn('yes');
  captured.log.error('yes');

  assert.equal(captured.lines.length, 2);
  assert.equal(captured.writer.enabled('info'), false);
  assert.equal(captured.writer.enabled('error'), true);
});

test('lines are counted by their level, in either form, those of exchanges too', () => {
  const captured = captureLog({ level: 'info' });

  captured.log.debug('no');
  captured.log.info('one');
  captured.setFormat('text');
  captured.log.error('two');
  captured.named('http').warn('three');
  const end = { status: 200, durationMs: 1, error: null };
  writeExchangeLine(captured.writer, endedExchange(), end);

  assert.deepEqual(captured.written(), { debug: 0, info: 2, warn: 1, error: 1 });
});

test('canaries in message, fields, headers, errors and identifiers leave no trace', () => {
  const scope = createLogScope();
  for (const format of ['json', 'text'] as const) {
    const captured = captureLog({ scope, format });
    const cause = new Error('GET https://user:canary@host/?key=canary');
    const error = new Error('rejected sk-canary0123456789', { cause });

    scope.run({ requestId: 'sk-canary0123456789', correlationId: 'esk_canary0123456789' }, () => {
      captured.log.error('sent Bearer canary-0123456789', {
        error,
        headers: { authorization: 'canary', cookie: 'a=canary', 'x-api-key': 'canary' },
        url: 'redis://:canary@cache',
        prompt: 'canary',
        nested: { list: [{ apiKey: 'canary' }, 'sk-canary0123456789'] },
        raw: 'password=canary?password=canary&x=1',
      });
    });

    assert.equal(captured.lines.length, 1);
    assert(captured.text().length > 300);
    assert(!captured.text().replaceAll('password=canary?', '').includes('canary'), captured.text());
  }
});

test('text mode is `time - name - level - message`, then the fields', () => {
  const captured = captureLog({ format: 'text', clock: CLOCK });

  captured.log.info('request completed', { model: 'mock', status: 200, note: 'two words' });
  captured.named('budgets').warn('used up');

  const time = new Date(CLOCK.wallMs()).toISOString();
  assert.deepEqual(captured.lines, [
    `${time} - esclusa - info - request completed  model=mock status=200 note=two words\n`,
    `${time} - budgets - warn - used up\n`,
  ]);
});

test('the form and the level can be changed while lines are written', () => {
  const captured = captureLog({ level: 'error' });
  captured.log.info('not written');
  captured.setLevel('info');
  captured.setFormat('text');
  captured.log.info('written');
  captured.setLevel('warn');
  captured.log.info('not written');

  assert.equal(captured.lines.length, 1);
  assert.match(captured.text(), / - esclusa - info - written\n$/);
  assert.deepEqual(
    (['debug', 'info', 'warn', 'error'] as const).map((level) => captured.writer.enabled(level)),
    [false, false, true, true],
  );
});

test('text mode paints levels only where asked', () => {
  const plain = captureLog({ format: 'text' });
  const painted = captureLog({ format: 'text', colour: true });
  for (const captured of [plain, painted]) captured.log.error('x');

  assert.equal(plain.text().includes('\u001b'), false);
  assert.equal(painted.text().includes('\u001b[31merror'), true);
});

test('a value cannot forge a line or steer the terminal', () => {
  const captured = captureLog({ format: 'text' });

  captured.log.info('x', { model: 'a\n14:02:11 info  forged', other: '\u001b[2J\r\u009b\u202e' });

  assert.equal(captured.text().split('\n').length, 2);
  for (const bad of ['\u001b', '\r', '\u009b']) assert.equal(captured.text().includes(bad), false);
});

test('a traceback follows its line, indented', () => {
  const captured = captureLog({ format: 'text' });

  captured.log.error('failed', { error: new Error('why') });

  const [first, second] = captured.text().split('\n');
  assert.match(first ?? '', / - esclusa - error - failed$/);
  assert.equal(second, '    Error: why');
});
