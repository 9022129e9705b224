/** The coded error that something fails with; whatever else becomes of it fails the test. */
import assert from 'node:assert/strict';
import { GatewayError } from '../../src/gateway/model/errors.ts';

export function thrownBy(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    return coded(error);
  }
  assert.fail('nothing was thrown');
}

export async function rejectionOf(work: Promise<unknown>): Promise<GatewayError> {
  const reason = await work.then(
    () => assert.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  return coded(reason);
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await rejectionOf(work)).code;
}

function coded(error: unknown): GatewayError {
  assert.ok(error instanceof GatewayError, String(error));
  return error;
}
