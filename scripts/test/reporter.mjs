/**
 * A `node:test` reporter for the runner: one JSON line for each thing it wants to know. It runs
 * inside the process of the test file, where an error is still the object that was thrown, so
 * failures are made into text here.
 */
import { relative } from 'node:path';
import { inspect } from 'node:util';

/**
 * @typedef {import('./protocol.mjs').Entry} Entry
 * @param {AsyncIterable<import('node:test/reporters').TestEvent>} source
 */
export async function* reporter(source) {
  /** @type {string[]} the titles from the outermost suite to the test that runs */
  const path = [];
  for await (const event of source) {
    const entry = entryOf(event, path);
    if (entry !== undefined) yield `${JSON.stringify(entry)}\n`;
  }
}

/** Node's closing lines, which come as a summary too. */
const totals = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/**
 * @param {import('node:test/reporters').TestEvent} event
 * @param {string[]} path
 * @returns {Entry | undefined}
 */
function entryOf(event, path) {
  switch (event.type) {
    case 'test:start':
      path.length = event.data.nesting;
      path.push(event.data.name);
      return undefined;
    case 'test:fail':
      return failureOf(event.data, path);
    case 'test:diagnostic':
      return totals.test(event.data.message)
        ? undefined
        : { kind: 'diagnostic', message: event.data.message };
    case 'test:summary':
      return { kind: 'summary', counts: withFailed(event.data.counts) };
    default:
      return undefined;
  }
}

/**
 * @param {Extract<import('node:test/reporters').TestEvent, { type: 'test:fail' }>['data']} data
 * @param {string[]} path
 * @returns {Entry | undefined}
 */
function failureOf(data, path) {
  const { error } = data.details;
  // A parent fails because its child did; the child says why.
  if (data.todo !== undefined || failureType(error) === 'subtestsFailed') return undefined;
  const title = [...path.slice(0, data.nesting), data.name].join(' › ');
  const place = data.file ? `${relative(process.cwd(), data.file)}:${data.line}` : '';
  const cause = error.cause ?? error;
  const text = inspect(cause, { depth: 6 });
  const message = text.replaceAll(/\n +at .*\bnode:internal\/.*(?<!\{)$/gm, '');
  return { kind: 'failure', title, place, message };
}

/** @param {Omit<import('./protocol.mjs').Counts, 'failed'>} counts */
function withFailed(counts) {
  const { tests, suites, passed, cancelled, skipped, todo } = counts;
  const failed = tests - passed - cancelled - skipped - todo;
  return { tests, suites, passed, failed, cancelled, skipped, todo };
}

/** @param {Error} error */
function failureType(error) {
  return 'failureType' in error ? error.failureType : undefined;
}

export default reporter;
