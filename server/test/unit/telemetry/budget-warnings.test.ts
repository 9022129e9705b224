import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import type { Budget } from '../../../src/gateway/model/principal.ts';
import { createBudgetWarnings } from '../../../src/telemetry/budget-warnings.ts';
import { rememberingLog } from '../../support/storage.ts';
import { exchangeOf } from '../pipeline/fakes.ts';

const DAILY: Budget = { limitNanousd: 5, period: 'day', soft: true };

test('every exchange beyond a budget is counted, one line is written for a period', () => {
  const log = rememberingLog();
  let warned = 0;
  const warn = createBudgetWarnings(log, {
    add(amount) {
      warned += amount;
    },
  });
  const at = (createdAtMs: number, ids: readonly string[]): Exchange =>
    Object.assign(Object.create(exchangeOf()), {
      createdAtMs,
      budgetsPassed: ids.map((id) => ({ id, budget: DAILY })),
    });
  const noon = Date.UTC(2026, 10, 20, 12);

  for (let i = 0; i < 3; i += 1) warn(at(noon + i, ['tenant:acme']));
  warn(at(noon, ['tenant:acme', 'tenant:other']));
  warn(at(noon, []));
  warn(at(noon + 86_400_000, ['tenant:acme']));

  assert.equal(warned, 5);
  assert.equal(log.lines.length, 3);
});
