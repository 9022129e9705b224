/**
 * Whether a request meets a target's conditions. The language is `model/condition.ts`: every
 * member must hold, a label that the request does not carry never does.
 */
import type { Condition } from '../model/condition.ts';
import type { RequestFacts } from './facts.ts';

/** The first member that does not hold, as the configuration writes it; null where all do. */
export function unmet(conditions: readonly Condition[], facts: RequestFacts): string | null {
  for (const condition of conditions) {
    const member = unmetText(condition, facts) ?? unmetTrait(condition, facts);
    if (member !== null) return member;
  }
  return null;
}

function unmetText(condition: Condition, facts: RequestFacts): string | null {
  if (!isAmong(condition.tenant, facts.tenant)) return 'tenant';
  if (!isAmong(condition.key, facts.key)) return 'key';
  if (condition.user !== undefined && !isAmong(condition.user, facts.user)) return 'user';
  if (!isAmong(condition.operation, facts.request.operation)) return 'operation';
  for (const [name, accepted] of Object.entries(condition.header ?? {})) {
    if (!isAmong(accepted, facts.header(name))) return `header.${name}`;
  }
  for (const [name, accepted] of Object.entries(condition.metadata ?? {})) {
    if (!isAmong(accepted, facts.metadata(name))) return `metadata.${name}`;
  }
  return null;
}

function unmetTrait(condition: Condition, facts: RequestFacts): string | null {
  const { stream, hasTools, hasImages, hasFiles, hasJsonSchema } = condition;
  if (stream !== undefined && stream !== facts.request.stream) return 'stream';
  if (hasTools !== undefined && hasTools !== facts.hasTools) return 'has_tools';
  if (hasImages !== undefined && hasImages !== facts.hasImages) return 'has_images';
  if (hasFiles !== undefined && hasFiles !== facts.hasFiles) return 'has_files';
  if (hasJsonSchema !== undefined && hasJsonSchema !== facts.hasJsonSchema) {
    return 'has_json_schema';
  }
  if (facts.inputTokens < (condition.minInputTokens ?? 0)) return 'min_input_tokens';
  if (facts.inputTokens > (condition.maxInputTokens ?? Infinity)) return 'max_input_tokens';
  return null;
}

function isAmong(accepted: readonly string[] | undefined, value: string | null): boolean {
  return accepted === undefined || (value !== null && accepted.includes(value));
}
