/**
 * The settle stage: turns the end of an exchange into one ledger entry, ends what admit and
 * reserve hold, and only then lets the answer's end go to the client.
 *
 * 1. Every exchange behind it is settled exactly once, when its answer is complete or its
 *    event sequence closes: by end, error or abandonment, not when a function returns.
 * 2. A plain answer, and the end marker of a stream, leave after their entry is journalled.
 * 3. A client that leaves is charged for what was produced.
 *
 * It does not compute prices (accounting) and does not read answers (providers).
 */
import type { Clock } from '../../kernel/clock.ts';
import { billOf, type Produced } from '../accounting/bill.ts';
import type { Answer, PlainAnswer, StreamFrame } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { LedgerEntry, Outcome } from '../model/ledger-entry.ts';
import type { Usage } from '../model/usage.ts';
import type { BudgetStore } from '../ports/budget-store.ts';
import type { Ledger } from '../ports/ledger.ts';
import { book } from './reserve.ts';
import type { Stage } from './stage.ts';

export interface SettleDeps {
  readonly ledger: Ledger;
  readonly budgets: BudgetStore;
  readonly clock: Clock;
}

const LEDGER_RETRY_MS = 1000;
const OK = 200;

export function settle(deps: SettleDeps): Stage {
  return {
    name: 'settle',
    codes: ['ledger_unavailable'],
    wrap: (next) => async (exchange) => {
      if (!deps.ledger.accepting()) {
        throw new GatewayError('ledger_unavailable', { retryAfterMs: LEDGER_RETRY_MS });
      }
      let answer: Answer;
      try {
        answer = await next(exchange);
      } catch (thrown) {
        await settleExchange(deps, exchange, { usage: exchange.spent, characters: 0 }, thrown);
        throw thrown;
      }
      if (answer.kind === 'stream') return { ...answer, frames: settled(deps, exchange, answer) };
      await settleExchange(deps, exchange, producedBy(answer), null);
      return answer;
    },
  };
}

async function* settled(
  deps: SettleDeps,
  exchange: Exchange,
  answer: { readonly frames: AsyncIterable<StreamFrame> },
): AsyncGenerator<StreamFrame> {
  let usage: Usage | null = null;
  let characters = 0;
  let error: unknown = new GatewayError('client_closed');
  let ended = false;
  try {
    for await (const frame of answer.frames) {
      characters += frame.producedCharacters;
      usage = frame.usage ?? usage;
      if (frame.terminal !== null) {
        ended = true;
        await settleExchange(deps, exchange, { usage, characters }, null);
      }
      yield frame;
    }
    if (!ended) throw new GatewayError('upstream_truncated');
  } catch (thrown) {
    error = thrown;
    throw thrown;
  } finally {
    if (!ended) {
      const produced = { usage: usage ?? exchange.spent, characters };
      await settleExchange(deps, exchange, produced, error);
    }
  }
}

function producedBy(answer: PlainAnswer): Produced {
  return { usage: answer.usage, characters: answer.bytes.length };
}

/** Prices, ends the holds, journals. Rejects with `ledger_unavailable` where that fails. */
async function settleExchange(
  deps: SettleDeps,
  exchange: Exchange,
  produced: Produced,
  thrown: unknown,
): Promise<void> {
  const bill = billOf(exchange, produced);
  book(deps.budgets, exchange, bill.costNanousd ?? 0);
  if (exchange.lease !== null) {
    exchange.lease.correctTokens(bill.usage.inputTokens + bill.usage.outputTokens);
    exchange.lease.release();
  }
  const error = thrown === null ? null : asGatewayError(thrown);
  exchange.entry = entryOf(exchange, bill, error, deps.clock.monotonicMs());
  await deps.ledger.append(exchange.entry);
}

function entryOf(
  exchange: Exchange,
  bill: ReturnType<typeof billOf>,
  error: GatewayError | null,
  nowMs: number,
): LedgerEntry {
  const { request, principal } = exchange;
  return {
    id: exchange.id,
    createdAtMs: exchange.createdAtMs,
    tenant: principal?.tenant ?? '',
    keyId: principal?.keyId ?? '',
    correlationId: exchange.correlationId,
    dialect: request.dialect,
    operation: request.operation,
    model: request.model,
    provider: exchange.provider,
    providerModel: exchange.providerModel,
    stream: request.stream,
    status: error?.status ?? OK,
    outcome: outcomeOf(exchange, error),
    errorCode: error?.code ?? null,
    cache: exchange.cache.status,
    attempts: exchange.attempts.length,
    usage: bill.usage,
    costNanousd: bill.costNanousd,
    priceId: bill.priceId,
    durationMs: Math.round(nowMs - exchange.startedMs),
    firstTokenMs: exchange.firstTokenMs === null ? null : Math.round(exchange.firstTokenMs),
    configGeneration: exchange.configGeneration,
    arm: exchange.route?.arm ?? null,
    prompt: exchange.route?.prompt?.id ?? null,
  };
}

function outcomeOf(exchange: Exchange, error: GatewayError | null): Outcome {
  if (error === null) return 'completed';
  if (error.code === 'client_closed') return 'aborted';
  return exchange.attempts.length === 0 ? 'rejected' : 'failed';
}
