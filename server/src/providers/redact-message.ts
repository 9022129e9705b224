/**
 * Makes a provider's error message fit to be shown to a caller: no credential, no account, one
 * line, of bounded length. The message itself is kept, because it says what to change.
 *
 * Providers quote keys, whole or masked, and name the operator's organisation; a caller is
 * entitled to neither. When in doubt a text that looks like a key is removed.
 */

const MAX_READ_CHARACTERS = 4_000;
const MAX_SHOWN_CHARACTERS = 1_000;
const SHORTEST_SECRET = 6;
const REDACTED = '[redacted]';

const KEY_LIKE: readonly RegExp[] = [
  /\b(?:sk|pk|rk|gsk|xai|pplx|nvapi|csk|sess|ak)[-_][\w*.…-]{4,}/gi,
  /\b(?:hf|r8|fw|tgp|ghp|org|proj|user)[-_][A-Za-z0-9]{12,}/g,
  /\bAIza[\w-]{16,}/g,
  /\beyJ[\w-]{8,}(?:\.[\w-]*){1,2}/g,
  /\b(?=[A-Za-z]{0,200}\d)(?=\d{0,200}[A-Za-z])[A-Za-z0-9]{32,}\b/g,
  /[A-Za-z0-9]{2,64}\*{3,}[A-Za-z0-9]*/g,
];

/** `secrets` are removed wherever they occur, whatever they look like. */
export function redactMessage(message: string, secrets: readonly string[]): string {
  let text = message;
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET) text = text.replaceAll(secret, REDACTED);
  }
  text = text
    .slice(0, MAX_READ_CHARACTERS)
    .toWellFormed()
    .replace(/\bBearer\s+\S+/gi, `Bearer ${REDACTED}`)
    .replace(/:\/\/[^\s/@]{1,200}@/g, `://${REDACTED}@`)
    .replace(/\b(api[-_]?key|key|token|secret|password)=[^\s&"']+/gi, `$1=${REDACTED}`);
  for (const pattern of KEY_LIKE) text = text.replace(pattern, REDACTED);
  text = text.replace(/\p{Cc}+/gu, ' ').trim();
  if (text.length <= MAX_SHOWN_CHARACTERS) return text;
  return `${text.slice(0, MAX_SHOWN_CHARACTERS - 1)}…`;
}
