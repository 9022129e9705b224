/**
 * Settings as they may be shown: secrets become `***`, and so does the password inside any
 * address. What counts as a secret is noted in the schema.
 */
import { fileSchema, type Settings } from './schema/file.ts';
import { bare, childOf, type Path, schemaAt } from './schema/walk.ts';

const REDACTED = '***';

/** Up to the last `@`: a password may hold, wrongly, what an address gives another meaning. */
const CREDENTIALS = /([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s"'@/:]*)(:[^\s"']*)?@/gi;

/** A copy of the settings in the words of the file, safe to print. */
export function redactSettings(settings: Settings): unknown {
  return redact(fileSchema, settings);
}

/** One value as it may be shown, by its path in the settings it belongs to. */
export function redactValue(settings: Settings, path: Path, value: unknown): unknown {
  const schema = schemaAt(fileSchema, path, settings);
  return schema === undefined ? redactText(value) : redact(schema, value);
}

/** Replaces the password, or a lone user name, in every address of a text. */
export function redactUrl(text: string): string {
  return text.replace(CREDENTIALS, (_all, scheme: string, user: string, password?: string) =>
    password === undefined ? `${scheme}${REDACTED}@` : `${scheme}${user}:${REDACTED}@`,
  );
}

function redact(schema: Parameters<typeof bare>[0], value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (bare(schema).meta.secret === true) return REDACTED;
  if (typeof value !== 'object') return redactText(value);
  const below = (key: string | number, item: unknown): unknown => {
    const child = childOf(schema, key, value);
    return child === undefined ? redactText(item) : redact(child, item);
  };
  if (Array.isArray(value)) return value.map((item, index) => below(index, item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, below(key, item)]));
}

function redactText(value: unknown): unknown {
  return typeof value === 'string' ? redactUrl(value) : value;
}
