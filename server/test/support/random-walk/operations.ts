/**
 * Every operation the program offers, as its own reference lists them: what is new is walked
 * over without being named here.
 */
import type { TestGateway } from '../gateway.ts';

export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly schema?: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** null: it takes no body. */
  readonly body: Schema | null;
}

interface Described {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content?: { readonly 'application/json'?: { readonly schema?: Schema } };
  };
}

export async function operationsOf(gateway: TestGateway): Promise<readonly Operation[]> {
  const { body } = await gateway.api('GET', '/openapi.json');
  const paths = body.paths as Readonly<Record<string, Readonly<Record<string, Described>>>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      ...{ method: method.toUpperCase(), path, parameters },
      body: requestBody?.content?.['application/json']?.schema ?? null,
    })),
  );
}

/** The collection that an operation is about: where its identifiers come from. */
export function collectionOf({ path }: Pick<Operation, 'path'>): string {
  const brace = path.indexOf('{');
  return brace < 0 ? path : path.slice(0, brace - 1);
}
