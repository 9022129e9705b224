/**
 * A request for an operation, made from what the reference says of it: texts carry the caller's
 * own mark; identifiers, tenants and cursors are its own, another tenant's, or nobody's.
 */
import type { Random } from '../../../src/kernel/random.ts';
import { PASSWORD } from '../people.ts';
import { collectionOf, type Operation, type Schema } from './operations.ts';
import { type Caller, pick, type TenantSide } from './tenant-side.ts';

export type Whose = 'own' | 'foreign';

export interface WalkRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Another tenant's things were named where one is chosen by name. */
  readonly reachesOut: boolean;
  /** What was said of others. */
  readonly said: readonly string[];
}

export interface Making {
  readonly random: Random;
  readonly own: TenantSide;
  readonly other: TenantSide;
  readonly caller: Caller;
  readonly whose: Whose;
}

const OPTIONAL_SHARE = 0.4;
const DEPTH_MAX = 6;
const NOBODY = 'key_00000000000000000000000000';

export function makeRequest(operation: Operation, making: Making): WalkRequest {
  const writer = new Writer(operation, making);
  let path = operation.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    encodeURIComponent(writer.inPath(name)),
  );
  const query = new URLSearchParams();
  for (const { name, in: place, schema = {} } of operation.parameters) {
    if (place !== 'query' || !writer.wants(name)) continue;
    const value = writer.value(name, schema, 0);
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  if (query.size > 0) path += `?${query}`;
  const body = operation.body === null ? undefined : writer.value('', operation.body, 0);
  return { method: operation.method, path, body, ...writer.found() };
}

class Writer {
  readonly #operation: Operation;
  readonly #making: Making;
  readonly #said: string[] = [];
  #reachesOut = false;

  constructor(operation: Operation, making: Making) {
    this.#operation = operation;
    this.#making = making;
  }

  found() {
    return { reachesOut: this.#reachesOut, said: this.#said };
  }

  /** Members that name whose things are meant come more often than others. */
  wants(name: string): boolean {
    const { random, caller, whose } = this.#making;
    if (name === 'tenant') return caller === 'superadmin' || random.float() < 0.5;
    if (name === 'cursor') return random.float() < 0.2;
    if (/(^|_)id$/.test(name)) return random.float() < (whose === 'foreign' ? 0.8 : 0.3);
    return random.float() < OPTIONAL_SHARE;
  }

  inPath(name: string): string {
    const collection = collectionOf(this.#operation);
    if (name === 'slug') return this.#tenant();
    if (name === 'model' || collection.endsWith('/models')) return 'mock';
    return this.#id(collection) ?? NOBODY;
  }

  value(name: string, schema: Schema, depth: number): unknown {
    if (depth > DEPTH_MAX) return undefined;
    const { random } = this.#making;
    const known = this.#named(name);
    if (known !== undefined) return known;
    const ways = schema.anyOf ?? schema.oneOf;
    if (ways !== undefined) return this.value(name, pick(random, ways) ?? {}, depth + 1);
    if (schema.enum !== undefined) return pick(random, schema.enum);
    const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
    if (type === 'object') return this.#object(schema, depth);
    if (type === 'array') return [this.value(name, schema.items ?? {}, depth + 1)];
    if (type === 'boolean') return random.float() < 0.5;
    if (type === 'integer' || type === 'number') return this.#number(schema);
    if (type === 'null') return null;
    return this.#text(name);
  }

  #object({ properties = {}, required = [] }: Schema, depth: number): unknown {
    const members = Object.entries(properties).filter(
      ([name]) => required.includes(name) || this.wants(name),
    );
    return Object.fromEntries(
      members.map(([name, schema]) => [name, this.value(name, schema, depth + 1)]),
    );
  }

  #number({ minimum = 1, maximum = 50 }: Schema): number {
    const span = Math.min(maximum, minimum + 20) - minimum;
    return minimum + Math.floor(this.#making.random.float() * (span + 1));
  }

  #named(name: string): unknown {
    if (name === 'tenant') return this.#tenant();
    if (name === 'key_id') return this.#id('/api/v1/keys', false);
    if (name === 'previous_response_id' || name === 'after') return this.#id('/v1/responses');
    if (name === 'cursor') return this.#cursor();
    if (name === 'model') return 'mock';
    if (name === 'models') return null;
    if (name === 'tools' || name === 'tool_choice' || name === 'response_format') return undefined;
    if (name === 'limits' || name === 'scopes' || name === 'addresses') return undefined;
    if (name === 'budget') return { limit_usd: '2.50', period: 'month' };
    if (name === 'expires_at' || name === 'since' || name === 'until') return undefined;
    if (name === 'by') return pick(this.#making.random, ['model', 'key', 'tenant', 'day']);
    return undefined;
  }

  #text(name: string): string {
    const { random, own } = this.#making;
    const number = Math.floor(random.float() * 1e9);
    if (name === 'email') return `w${number}@${own.mark}.example`;
    // Signing in under a name that exists would lock somebody out.
    if (name === 'username') return `w${number}-${own.mark}`;
    if (name === 'password' || name === 'new_password') return PASSWORD;
    if (name === 'current_password') return 'Wrong-Horse-1';
    if (name === 'role') return 'user';
    if (name === 'pattern') return '*';
    return `text ${number} ${own.mark}`;
  }

  /** A superadmin speaks for its tenant; all others try both. */
  #tenant(): string {
    const { own, other, caller, whose } = this.#making;
    if (whose === 'own' || caller === 'superadmin') return own.slug;
    return this.#says(other.slug);
  }

  #id(collection: string, decides = true): string | undefined {
    const { random, own, other, caller, whose } = this.#making;
    const isForeign = whose === 'foreign' && caller !== 'superadmin';
    const ids = [...((isForeign ? other : own).ids.get(collection) ?? [])];
    if (isForeign) {
      const id = pick(random, ids);
      return id === undefined ? undefined : this.#says(id, decides);
    }
    return pick(
      random,
      ids.filter((id) => !own.callers.has(id)),
    );
  }

  #cursor(): string | undefined {
    const { random, own, other } = this.#making;
    return pick(random, random.float() < 0.5 ? own.cursors : other.cursors);
  }

  #says(word: string, decides = true): string {
    this.#said.push(word);
    if (decides) this.#reachesOut = true;
    return word;
  }
}
