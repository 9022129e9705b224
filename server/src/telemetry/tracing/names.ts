/**
 * The names of what stands in a span: OpenTelemetry's for generative AI and HTTP as of
 * semantic-conventions-genai in autumn 2026, where they are still in development, and ours.
 * None of the names for prompts and answers is here: neither is ever in a span.
 */
export const OPERATION = 'gen_ai.operation.name';
export const PROVIDER = 'gen_ai.provider.name';
export const REQUEST_MODEL = 'gen_ai.request.model';
export const REQUEST_STREAM = 'gen_ai.request.stream';
export const REQUEST_MAX_TOKENS = 'gen_ai.request.max_tokens';
export const FIRST_CHUNK_SECONDS = 'gen_ai.response.time_to_first_chunk';
export const INPUT_TOKENS = 'gen_ai.usage.input_tokens';
export const OUTPUT_TOKENS = 'gen_ai.usage.output_tokens';
export const CACHE_READ_TOKENS = 'gen_ai.usage.cache_read.input_tokens';
export const REASONING_TOKENS = 'gen_ai.usage.reasoning.output_tokens';

export const ERROR_TYPE = 'error.type';
export const HTTP_METHOD = 'http.request.method';
export const HTTP_STATUS = 'http.response.status_code';

export const REQUEST_ID = 'esclusa.request_id';
export const CORRELATION_ID = 'esclusa.correlation_id';
export const TENANT = 'esclusa.tenant';
export const KEY_ID = 'esclusa.key_id';
export const DIALECT = 'esclusa.dialect';
export const CACHE_STATUS = 'esclusa.cache.status';
export const CACHE_TIER = 'esclusa.cache.tier';
export const CACHE_DETAIL = 'esclusa.cache.detail';
export const REPLAYED = 'esclusa.replayed';
export const ATTEMPTS = 'esclusa.attempts';
export const OUTCOME = 'esclusa.outcome';
export const COST = 'esclusa.cost_nanousd';
export const OVERHEAD = 'esclusa.overhead_ms';
export const TARGET = 'esclusa.target';
export const ATTEMPT_NUMBER = 'esclusa.attempt.number';
export const ATTEMPT_KIND = 'esclusa.attempt.kind';

/** The event of an attempt at the first piece of its stream. */
export const FIRST_TOKEN = 'first_token';

export const SERVICE_NAME = 'service.name';
export const SERVICE_INSTANCE = 'service.instance.id';
export const ENVIRONMENT = 'deployment.environment.name';
