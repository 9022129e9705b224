/** Checks values against a draft 7 JSON Schema with an independent validator. */
import { Ajv } from 'ajv';

/** Returns a check that lists what is wrong with a value; an empty list means nothing. */
export function createSchemaCheck(schema: object): (value: unknown) => readonly string[] {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
