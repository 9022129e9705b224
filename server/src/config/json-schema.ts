/**
 * The JSON Schema of the configuration file, for editors and for checks outside the program.
 * It knows types, ranges and names; what spans several settings only the program checks.
 */
import { z } from 'zod';
import { fileSchema } from './schema/file.ts';
import { metaOf, type SettingMeta } from './schema/setting.ts';

const REFERENCE = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$' } as const;
const STANDARD = new Set(['$schema', 'title', 'description']);

type Json = Record<string, unknown>;

/** The schema as a JSON object, draft 7: what editors' YAML support understands. */
export function fileJsonSchema(): Json {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => rewrite(metaOf(zodSchema), jsonSchema as Json),
  });
  return { $schema, title: 'Configuration of Esclusa (esclusa.yaml)', ...schema };
}

/** Leaves what is standard, and lets a variable stand for a number or a boolean. */
function rewrite(meta: SettingMeta, schema: Json): void {
  for (const name of Object.keys(meta)) if (!STANDARD.has(name)) delete schema[name];
  const variable = meta.env?.[0];
  if (variable !== undefined) {
    schema.description = `${meta.description ?? ''} (environment: ${variable})`;
  }
  if (!['integer', 'number', 'boolean'].includes(String(schema.type))) return;
  const { description, default: fallback, ...type } = schema;
  for (const name of Object.keys(type)) delete schema[name];
  schema.anyOf = [type, REFERENCE];
}
