/**
 * What the mock says, in Spanish or English: it repeats what it was asked, then tells what it
 * is. The same request always gives the same words.
 */
import { CHARACTERS_PER_TOKEN, cutText } from './tokens.ts';

export type Language = 'es' | 'en';

const QUOTED_CHARACTERS = 80;
const SENTENCES = 3;

const SPANISH_LETTERS = /[ñáíóúü¿¡]/i;
const SPANISH_WORDS = anyOf(
  'el la los las un una de del que es son en con por para como hola gracias dime explica quiero',
  'puedes tiempo hace mi tu su y escribe resume traduce',
);
const ENGLISH_WORDS = anyOf(
  'the a an of what is are in with by for how hello hi thanks tell explain want can you which my',
  'your and write summarize summarise translate please this that to',
);

const WORDS = {
  en: {
    quote: (text: string) => `You wrote: “${text}”.`,
    empty: 'You wrote nothing.',
    images: (n: number) => (n === 1 ? 'I received one image.' : `I received ${n} images.`),
    result: (name: string, text: string) => `The tool ${name} answered: ${text}.`,
    thought: 'The user expects a short answer. I repeat the question, then say what I am.',
    sentences: [
      'This answer comes from the built-in mock, so it needed neither a key nor a network.',
      'The same messages always give the same words, which makes tests and demonstrations easy.',
      'Everything around it is real: routing, limits, budgets, the cache and the ledger.',
      'Ask for a stream, for tools or for JSON, and it will play along.',
      'Options in the model name, such as mock:ttft=500ms, imitate a slow provider.',
      'Faults can be tried as well: mock:status=503 or mock:cut=3 imitate its bad days.',
      'When you are ready, configure a real provider and leave your code as it is.',
    ],
  },
  es: {
    quote: (text: string) => `Usted ha escrito: «${text}».`,
    empty: 'Usted no ha escrito nada.',
    images: (count: number) =>
      count === 1 ? 'He recibido una imagen.' : `He recibido ${count} imágenes.`,
    result: (name: string, text: string) => `La herramienta ${name} ha respondido: ${text}.`,
    thought: 'La persona espera una respuesta corta. Repito la pregunta y digo lo que soy.',
    sentences: [
      'Esta respuesta viene del modelo simulado, que no necesita ni clave ni red.',
      'Los mismos mensajes dan siempre las mismas palabras: así es fácil hacer pruebas.',
      'Todo lo que lo rodea es real: rutas, límites, presupuestos, caché y contabilidad.',
      'Pida un flujo, herramientas o JSON, y le seguirá el juego.',
      'Las opciones en el nombre del modelo, como mock:ttft=500ms, imitan a un proveedor lento.',
      'También se pueden probar fallos: mock:status=503 o mock:cut=3 imitan un mal día.',
      'Cuando quiera, configure un proveedor de verdad y deje su código como está.',
    ],
  },
} as const;

/** Spanish where its letters or its words prevail, else English. */
function languageOf(text: string): Language {
  const sample = text.slice(0, 2_000);
  const spanish = count(sample, SPANISH_WORDS) + (SPANISH_LETTERS.test(sample) ? 2 : 0);
  return spanish > count(sample, ENGLISH_WORDS) ? 'es' : 'en';
}

export interface ProseRequest {
  readonly text: string;
  readonly images: number;
  /** Results of tools that the answer must use, by the tool's name. */
  readonly results: readonly { readonly name: string; readonly text: string }[];
  /** Which of several answers to the same request. */
  readonly variant: number;
  /** Length in tokens; null: as long as it comes out. */
  readonly tokens: number | null;
}

export function composeProse(request: ProseRequest): string {
  const language = languageOf(request.text);
  const { quote, empty, images, result, sentences } = WORDS[language];
  const start = hashText(request.text) + request.variant;
  const sentence = (at: number): string => sentences[(start + at) % sentences.length] ?? '';
  const parts = request.results.map(({ name, text }) => result(name, shorten(text)));
  if (parts.length === 0) {
    parts.push(request.text === '' ? empty : quote(shorten(request.text)));
    if (request.images > 0) parts.push(images(request.images));
    for (let at = 0; at < SENTENCES; at += 1) parts.push(sentence(at));
  }
  const text = parts.join(' ');
  return request.tokens === null ? text : stretch(text, request.tokens, sentence);
}

export function composeThought(text: string): string {
  return WORDS[languageOf(text)].thought;
}

/** A number from 0 to 2³²−1 that depends on every character (FNV-1a). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

function stretch(text: string, tokens: number, sentence: (at: number) => string): string {
  const length = tokens * CHARACTERS_PER_TOKEN;
  const parts = [text];
  for (let size = text.length, at = SENTENCES; size < length; at += 1) {
    const next = sentence(at);
    parts.push(next);
    size += next.length + 1;
  }
  return cutText(parts.join(' '), length);
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= QUOTED_CHARACTERS ? line : `${cutText(line, QUOTED_CHARACTERS)}…`;
}

function anyOf(...lists: readonly string[]): RegExp {
  return new RegExp(`\\b(?:${lists.join(' ').replaceAll(' ', '|')})\\b`, 'gi');
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
