/**
 * What a program does with a client package, whichever package it is: one driver each, so that
 * every package goes through the same tests. A driver writes what its package's users write and
 * nothing that would help the gateway.
 */
import { z } from 'zod';

export interface Told {
  readonly text: string;
  /** The package says that the answer ended of itself. */
  readonly isWhole: boolean;
  readonly outputTokens: number | undefined;
}

export interface ToolRun {
  /** In the order of the calls: `get_weather Madrid`. */
  readonly called: readonly string[];
  readonly text: string;
}

export interface Refused {
  readonly status: number | undefined;
  /** Undefined where the package does not show it. */
  readonly code: string | undefined;
  readonly message: string;
}

export interface Client {
  text(model: string): Promise<Told>;
  stream(model: string): Promise<Told & { readonly pieces: number }>;
  /** Tokens by which the package miscounts the answer of a stream. */
  readonly miscounts?: number;
  /** Runs the tools that are called, until an answer comes. */
  tools(model: string, stream: boolean): Promise<ToolRun>;
  /** Demands a call of `get_population` and answers the names that were called. */
  demand(model: string): Promise<readonly string[]>;
  /** An answer that fits `Shape`. */
  shape(model: string, stream: boolean): Promise<unknown>;
  image(model: string, url: string): Promise<string>;
  /** null: the package, or what it speaks, has no such thing. */
  readonly embed: ((model: string, texts: readonly string[]) => Promise<number[][]>) | null;
  readonly count: ((model: string) => Promise<number>) | null;
  /** Reads a stream and aborts it at its first text; fails where it goes on to its end. */
  abort(model: string): Promise<void>;
  /** The ways to read a stream. Each throws where the stream breaks, having told what came. */
  readonly readings: Readonly<
    Record<string, (model: string, hear: (text: string) => void) => Promise<unknown>>
  >;
  /** Checks that this is the package's own error for the status. */
  refused(thrown: unknown, status: number): Refused;
  /** Checks that this is the package's own error for a stream that broke. */
  broken(thrown: unknown): void;
}

export interface Driver {
  readonly name: string;
  connect(url: string, key: string): Client;
}

export const HELLO = 'Say hello.';
export const BOTH = 'What are the weather and the population in Madrid?';

export const TOOLS = [
  { name: 'get_weather', description: 'The weather of a city.', result: 'sunny' },
  { name: 'get_population', description: 'How many people live in a city.', result: '3400000' },
] as const;

export const City = z.object({ city: z.string() });

/** `City` as most packages are given it. */
export const CITY_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
} as const;

export const Shape = z.object({
  title: z.string(),
  seats: z.int(),
  guests: z.array(z.object({ name: z.string(), vegan: z.boolean() })),
});

export const SHAPE_SCHEMA = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    seats: { type: 'integer' },
    guests: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, vegan: { type: 'boolean' } },
        required: ['name', 'vegan'],
      },
    },
  },
  required: ['title', 'seats', 'guests'],
} as const;

/** An image of one pixel. */
export const PIXEL_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChgGA60e6kgAA' +
  'AABJRU5ErkJggg==';
export const PIXEL_URL = `data:image/png;base64,${PIXEL_BASE64}`;

/** Notes a call and gives the tool's result. */
export function runTool(called: string[], name: string, input: unknown): string {
  called.push(`${name} ${(input as { readonly city?: unknown }).city}`);
  return TOOLS.find((tool) => tool.name === name)?.result ?? `no tool ${name}`;
}

/** Hears nothing. */
export function ignore(): void {
  // what is read is looked at elsewhere
}

/** Rounds after which a loop of tools has gone wrong. */
export const MOST_ROUNDS = 6;
