/**
 * The settings of the built-in provider, which answers in memory, offline and without a key.
 *
 * `MOCK_NAME` is its kind, and the name of the provider, the model and the alias that exist
 * without any configuration outside production.
 */
import { z } from 'zod';

export const MOCK_NAME = 'mock';

const DELAY_MAX_MS = 600_000;

const delay = (description: string) =>
  z.int().min(0).max(DELAY_MAX_MS).default(0).meta({ description });

export const mockSettings = z.object({
  kind: z.literal(MOCK_NAME),
  first_token_delay_ms: delay('Time before the first byte of an answer.'),
  token_delay_ms: delay('Time between two pieces of a streamed answer.'),
});

export interface MockConnection {
  readonly firstTokenDelayMs: number;
  readonly tokenDelayMs: number;
}
