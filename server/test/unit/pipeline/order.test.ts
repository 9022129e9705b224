/**
 * Goal: the order of the stages is what the documents say, and composing keeps it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compose, type Stage } from '../../../src/gateway/pipeline/stage.ts';
import { noFaults } from '../../../src/kernel/fault.ts';
import { exchangeOf, plainAnswer } from './fakes.ts';

function tracing(name: string, trace: string[]): Stage {
  return {
    name,
    codes: [],
    wrap: (next) => async (exchange) => {
      trace.push(`+${name}`);
      const answer = name === 'last' ? plainAnswer() : await next(exchange);
      trace.push(`-${name}`);
      return answer;
    },
  };
}

test('the first stage is the outermost one', async () => {
  const trace: string[] = [];
  const handler = compose([tracing('first', trace), tracing('last', trace)], noFaults);

  await handler(exchangeOf());

  assert.deepEqual(trace, ['+first', '+last', '-last', '-first']);
});

test('a name that stands twice is refused when the pipeline is wired', () => {
  const twice = [tracing('same', []), tracing('same', [])];

  assert.throws(() => compose(twice, noFaults), /each stage stands once/);
});

test('a fault point stands around every stage and can fail it', async () => {
  const hits: string[] = [];
  const trace: string[] = [];
  const faults = {
    hit(point: string) {
      hits.push(point);
      if (point === 'pipeline.last') throw new Error('injected');
    },
  };
  const handler = compose([tracing('first', trace), tracing('last', trace)], faults);

  await assert.rejects(handler(exchangeOf()), /injected/);

  assert.deepEqual(hits, ['pipeline.first', 'pipeline.last']);
  assert.deepEqual(trace, ['+first']);
});
