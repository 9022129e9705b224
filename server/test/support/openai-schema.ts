/**
 * Holds bodies and events against OpenAI's own API document, which lies beside the repository
 * where the project is developed and is not part of it.
 *
 * `openaiSchemas` is null where the document is absent: tests then say so and pass over. The
 * document mixes `nullable` of OpenAPI 3.0 into 3.1; it is read as "or null" here.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export type SchemaName =
  | 'CreateChatCompletionResponse'
  | 'CreateChatCompletionStreamResponse'
  | 'CreateCompletionResponse'
  | 'CreateEmbeddingResponse'
  | 'ErrorResponse'
  | 'ListModelsResponse'
  | 'Model'
  | 'Response'
  | 'ResponseItemList';

export interface OpenaiSchemas {
  /** Fails with the places that differ. */
  assertValid(name: SchemaName, value: unknown): void;
  /** An event of the Responses API: one of many kinds, told by its type. */
  assertEvent(event: { readonly type: string }): void;
}

const DOCUMENT = new URL('../../../../shared/schemas/openai/openapi.json', import.meta.url);

/** Title suffix and option for tests that need the document. */
export const schemasAbsent: string | false = existsSync(DOCUMENT)
  ? false
  : 'passed over: OpenAI’s API document is not beside the repository';

let loaded: OpenaiSchemas | null = null;

/** Call only where `schemasAbsent` is false. */
export function openaiSchemas(): OpenaiSchemas {
  loaded ??= load();
  return loaded;
}

function load(): OpenaiSchemas {
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as object;
  allowNull(document);
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openai');
  const compiled = new Map<string, ValidateFunction>();
  const events = eventSchemas(document);
  const check = (name: string, value: unknown): void => {
    const validate =
      compiled.get(name) ?? ajv.compile({ $ref: `openai#/components/schemas/${name}` });
    compiled.set(name, validate);
    const valid = validate(value);
    const places = validate.errors?.map((error) => `${error.instancePath} ${error.message}`);
    assert.ok(valid, `not a valid ${name}: ${places?.join('; ')}\n${JSON.stringify(value)}`);
  };
  return {
    assertValid: check,
    assertEvent(event) {
      const name = events.get(event.type);
      assert.ok(name !== undefined, `no event is called ${event.type}`);
      check(name, event);
    },
  };
}

interface EventSchema {
  readonly properties: { readonly type: { readonly enum: readonly string[] } };
}

interface EventDocument {
  readonly components: {
    readonly schemas: Readonly<Record<string, EventSchema>> & {
      readonly ResponseStreamEvent: { readonly anyOf: readonly { readonly $ref: string }[] };
    };
  };
}

/** The union of events says nothing useful of one that differs: each is found by its type. */
function eventSchemas(document: object): ReadonlyMap<string, string> {
  const { schemas } = (document as EventDocument).components;
  return new Map(
    schemas.ResponseStreamEvent.anyOf.map(({ $ref }) => {
      const name = $ref.replace('#/components/schemas/', '');
      return [schemas[name]?.properties.type.enum[0] ?? '', name];
    }),
  );
}

function allowNull(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const child of Object.values(node)) allowNull(child);
  const schema = node as Record<string, unknown>;
  if (schema.nullable !== true) return;
  const { nullable: _, ...rest } = schema;
  for (const key of Object.keys(schema)) delete schema[key];
  schema.anyOf = [rest, { type: 'null' }];
}
