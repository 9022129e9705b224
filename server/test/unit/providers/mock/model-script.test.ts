/**
 * Goal: the options in a model's name mean what the help says, and nothing else is accepted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MockScript,
  mockModelHelp,
  readModelScript,
} from '../../../../src/providers/mock/model-script.ts';

function script(model: string): MockScript {
  const read = readModelScript(model);
  assert.ok('script' in read, JSON.stringify(read));
  return read.script;
}

function problem(model: string): string | null {
  const read = readModelScript(model);
  return 'problem' in read ? read.problem : null;
}

test('a plain name has no script', () => {
  const { base, script: plain } = readModelScript('gpt-4o') as { base: string; script: MockScript };

  assert.equal(base, 'gpt-4o');
  assert.equal(plain.latencyMs, 0);
  assert.deepEqual([plain.status, plain.cut, plain.fail, plain.tokens], [null, null, null, null]);
  assert.deepEqual([plain.usage, plain.done], [true, true]);
});

test('options are combined by commas, and the last of a kind wins', () => {
  const read = script('mock:latency=200ms,ttft=1.5s, tps=50,tokens=7,latency=30');

  assert.deepEqual([read.latencyMs, read.firstTokenMs], [30, 1500]);
  assert.deepEqual([read.tokensPerSecond, read.tokens], [50, 7]);
});

test('faults count events, in fractions where an event is cut', () => {
  assert.equal(script('mock:cut=3').cut, 3);
  assert.equal(script('mock:reset=0').reset, 0);
  assert.equal(script('mock:stall=2.5').stall, 2.5);
  assert.equal(problem('mock:garble=1.5') === null, false);
});

test('a slow preset is a script of its own that options overrule', () => {
  assert.deepEqual(
    [script('mock-slow').firstTokenMs, script('mock-slow').tokensPerSecond],
    [1500, 10],
  );
  assert.equal(script('mock-slow:ttft=1').firstTokenMs, 1);
});

test('every form in the help is accepted', () => {
  const forms = mockModelHelp().match(/^ {2}(\S+)/gm) ?? [];

  assert.ok(forms.length >= 18);
  for (const form of forms) assert.equal(problem(`mock:${form.trim()}`), null, form);
});

test('an unknown option is refused with the list of those there are', () => {
  for (const model of ['mock:speed=1', 'mock:', 'mock:latency=1,,', 'mock:__proto__=1']) {
    const said = problem(model);
    assert.ok(said?.includes('Accepted') && said.includes('cut=3'), model);
  }
});

test('a value out of its range is refused with the form it should have', () => {
  const wrong = [
    'latency=fast',
    'latency=601s',
    'latency=-1',
    'tps=0',
    'tokens=100001',
    'tokens=1.5',
    'status=199',
    'status=600',
    'code=a b',
    'usage=maybe',
    'failrate=1.1',
    'finish=eos',
    'cut',
  ];
  for (const option of wrong) {
    const name = option.split('=')[0];
    assert.ok(problem(`mock:${option}`)?.includes(`${name}=`), option);
  }
});
