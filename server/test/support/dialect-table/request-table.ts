/**
 * What becomes of each thing that a request can say at each provider's wire, found out by asking
 * the adapters and by reading what they wrote.
 */

import { GatewayError } from '../../../src/gateway/index.ts';
import { createOpenaiAdapter } from '../../../src/providers/openai/adapter.ts';
import { openaiConnection } from '../openai-connection.ts';
import { foreignCall, responsesWire, WIRES, type Wire } from '../round-trip/wires.ts';
import { REQUEST_PROBES, type RequestProbe } from './request-probes.ts';

/** `other`: neither the same, nor named as left out, nor refused. */
export type Outcome = 'same' | 'left out' | 'refused' | 'other';

export interface RequestRow {
  readonly title: string;
  /** Dialects whose clients can say it, by name. */
  readonly saidBy: readonly string[];
  /** By the wire's name. */
  readonly at: Readonly<Record<string, Outcome>>;
}

/** Says nothing to a model and stands in every request with a schema. */
const LABELS = new Set(['response_format.json_schema.name']);

/** OpenAI itself, which takes no reasoning back, as some that copy its wire do. */
const TABLE_WIRES: readonly Wire[] = WIRES.map((wire) =>
  wire.name === 'openai' ? { ...wire, adapter: strictOpenai() } : wire,
);

const TABLE_CLIENTS = [...TABLE_WIRES.filter(({ isDialect }) => isDialect), responsesWire];

export const WIRE_NAMES: readonly string[] = TABLE_WIRES.map(({ name }) => name);

export function requestRows(): RequestRow[] {
  return REQUEST_PROBES.map((probe) => {
    const at = Object.fromEntries(TABLE_WIRES.map((wire) => [wire.name, outcomeOf(wire, probe)]));
    const saidBy = TABLE_CLIENTS.filter((wire) => canSay(wire, probe));
    return { title: probe.title, saidBy: saidBy.map(({ name }) => name), at };
  });
}

/** OpenAI's clients write the canonical form itself, as far as it is OpenAI's. */
function canSay(wire: Wire, probe: RequestProbe): boolean {
  if (wire.name === 'openai') return !JSON.stringify(probe.body).includes('"esclusa":');
  return outcomeOf(wire, probe) === 'same';
}

function outcomeOf(wire: Wire, probe: RequestProbe): Outcome {
  const call = foreignCall(wire.adapter, probe.body);
  const target = { ...call.target, capabilities: ['reasoning'] as const };
  try {
    const encoded = wire.adapter.encode({ ...call, target });
    const dropped = (encoded.dropped ?? []).filter((name) => !LABELS.has(name));
    if (dropped.length > 0) return 'left out';
    const read = wire.readRequest(encoded).body;
    return isSame(probe.find(read), probe.find(probe.body)) ? 'same' : 'other';
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'field_not_supported') return 'refused';
    throw error;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function strictOpenai() {
  return createOpenaiAdapter(openaiConnection());
}
