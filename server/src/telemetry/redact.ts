/**
 * The one redactor: everything that leaves the process for people (log lines, error texts)
 * passes through it. Secrets are known by the name of the field they stand in, or by their
 * shape wherever they stand; prompts and answers by the name of their field.
 *
 * Invariants: what comes out is plain data, safe to serialise, bounded in depth, width and
 * length, whatever went in; it never throws. Numbers stay as they are except under the name of
 * a secret. A text costs time linear in its length: no shape is looked for twice in the same
 * run of characters.
 */

const REDACTED = '[redacted]';
const OMITTED = '[omitted]';

const MAX_DEPTH = 6;
const MAX_MEMBERS = 64;
const MAX_TEXT_CHARACTERS = 8192;
const MAX_WORD_CHARACTERS = 512;

/** Keys of vendors that are recognisable by their beginning, ours (`esk_`) included. */
const KEY_PREFIXES =
  'sk-|sk_|esk_|esr_|esi_|gsk_|xai-|hf_|gh[oprsu]_|github_pat_|glpat-|' +
  'xox[abeprs]-|rk_live_|whsec_|AIza|AKIA';

/** Cheap and broader than all of the shapes below: most texts need no more than this. */
const SUSPICIOUS = new RegExp(
  `${KEY_PREFIXES}|eyJ|bearer|basic |@|[?&;][a-z_-]+=|[3-6]\\d{3}[ -]?\\d{4}[ -]?\\d{4}`,
  'i',
);

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]{6,8192}\.[\w-]{4,}(\.[\w-]*)?/g, REDACTED],
  [new RegExp(`(?<![A-Za-z0-9])(${KEY_PREFIXES})[\\w.-]{6,}`, 'g'), REDACTED],
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]*@/gi, `$1${REDACTED}@`],
  [
    /([?&;](?:[a-z_-]*(?:key|token|secret|password|signature)|sig|pwd|auth)=)[^&\s"'#]+/gi,
    `$1${REDACTED}`,
  ],
  [/(?<![\w.%+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/gi, '[email]'],
];

const CARD = /(?<!\d)[3-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{3,4}(?!\d)/g;

/** Replaces secrets in a text by markers; answers the text itself where there are none. */
export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  let clean = text;
  for (const [shape, marker] of SHAPES) clean = clean.replace(shape, marker);
  return clean.replace(CARD, (digits) => (passesLuhn(digits) ? '[card]' : digits));
}

const SECRET_NAME =
  /passw|passphrase|secret|(api|private)key|authoriz|cookie|credential|pepper|jwt|token$|^key$/;
const CONTENT_NAME = /^(prompt|messages|content|completion|body|input|instructions)$/;

/**
 * A copy of log fields without secrets and content, made of plain data only. Errors become
 * `{ type, message, code?, traceback, cause? }`.
 */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return copyMembers(fields, [], 0);
}

export interface ErrorDescription {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly traceback: string;
  readonly cause?: ErrorDescription;
}

const MAX_CAUSES = 3;

/** What a log says about something thrown: no secrets, no content, bounded. */
export function describeError(thrown: unknown, causesLeft = MAX_CAUSES): ErrorDescription {
  if (!(thrown instanceof Error)) {
    return { type: typeof thrown, message: safeText(String(thrown)), traceback: '' };
  }
  const message = withoutExcerpt(thrown.message);
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  return {
    type: thrown.name,
    message: safeText(message),
    ...(typeof code === 'string' ? { code: safeText(code) } : {}),
    traceback: safeText((thrown.stack ?? '').replace(thrown.message, () => message)),
    ...(thrown.cause instanceof Error && causesLeft > 0
      ? { cause: describeError(thrown.cause, causesLeft - 1) }
      : {}),
  };
}

/** JSON.parse quotes the text it could not read, and that text may be somebody's prompt. */
function withoutExcerpt(message: string): string {
  if (message.length > MAX_TEXT_CHARACTERS) return message;
  return message.replace(/,? (\.\.\.)?"[\s\S]*"(\.\.\.)? is not valid JSON/, ' is not valid JSON');
}

/** Cut first: what is not shown is not looked at. The last word may be half of a secret. */
function safeText(text: string): string {
  if (text.length <= MAX_TEXT_CHARACTERS) return redactText(text);
  const clean = redactText(text.slice(0, MAX_TEXT_CHARACTERS));
  return `${clean.slice(0, lastSpace(clean))}… (${text.length} characters)`;
}

/** The last place where a text may end without cutting a word; a run without end is cut short. */
function lastSpace(text: string): number {
  const at = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'));
  return Math.max(at, text.length - MAX_WORD_CHARACTERS);
}

function copyMembers(
  source: object,
  parents: readonly object[],
  depth: number,
): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  const path = [...parents, source];
  for (const name of Object.keys(source).slice(0, MAX_MEMBERS)) {
    const value = copyMember(name, read(source, name), path, depth);
    if (value !== undefined) copy[redactText(name)] = value;
  }
  return copy;
}

function read(source: object, name: string): unknown {
  try {
    return (source as Record<string, unknown>)[name];
  } catch {
    return '[unreadable]';
  }
}

function copyMember(
  name: string,
  value: unknown,
  parents: readonly object[],
  depth: number,
): unknown {
  const plainName = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const tells = value !== null && value !== undefined && typeof value !== 'boolean';
  if (tells && SECRET_NAME.test(plainName)) return REDACTED;
  if (tells && CONTENT_NAME.test(plainName)) return OMITTED;
  return copyValue(value, parents, depth + 1);
}

function copyValue(value: unknown, parents: readonly object[], depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return safeText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : copyObject(value, parents, depth);
    case 'function':
      return undefined;
    default:
      return String(value);
  }
}

function copyObject(value: object, parents: readonly object[], depth: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return safeText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (parents.includes(value)) return '[circular]';
  if (depth > MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) {
    const path = [...parents, value];
    return value.slice(0, MAX_MEMBERS).map((item) => copyValue(item, path, depth + 1) ?? null);
  }
  return copyMembers(value, parents, depth);
}

function passesLuhn(text: string): boolean {
  let sum = 0;
  let double = false;
  for (let i = text.length - 1; i >= 0; i -= 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) continue;
    sum += double ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit;
    double = !double;
  }
  return sum % 10 === 0;
}
