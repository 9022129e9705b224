/**
 * Media types, and data URLs taken apart and put together: Gemini has bytes and their type in
 * two fields, the canonical form has one URL.
 */

export interface InlineMedia {
  readonly mimeType: string;
  /** Base 64, as it came. */
  readonly data: string;
}

const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*?);base64,/i;

/** null where the text is no data URL in base 64. */
export function parseDataUrl(url: string): InlineMedia | null {
  const match = DATA_URL.exec(url);
  if (match === null) return null;
  const mimeType = match[1] === '' ? 'text/plain' : `${match[1]}${match[2]}`;
  return { mimeType, data: url.slice(match[0].length) };
}

export function dataUrl({ mimeType, data }: InlineMedia): string {
  return `data:${mimeType};base64,${data}`;
}

const TYPE_BY_ENDING: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  webp: 'image/webp',
};

/** What the ending of an address says of its content; null where it says nothing. */
export function mimeTypeOfUrl(url: string): string | null {
  const ending = /\.([a-z0-9]{1,8})(?:[?#]|$)/i.exec(url)?.[1] ?? '';
  return TYPE_BY_ENDING[ending.toLowerCase()] ?? null;
}

/** OpenAI's names of sound formats that are not the second half of their media type. */
const AUDIO_FORMATS: Readonly<Record<string, string>> = { 'x-wav': 'wav', mpeg: 'mp3' };

export function audioFormat(mimeType: string): string | null {
  if (!mimeType.startsWith('audio/')) return null;
  const name = mimeType.slice('audio/'.length);
  return AUDIO_FORMATS[name] ?? name;
}

export function audioType(format: string): string {
  return `audio/${format}`;
}
