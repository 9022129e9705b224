/**
 * The language of what the command line says: the one asked for, else the machine's where it
 * is Spanish, else English. Codes, names and JSON are the same in both.
 */
import { en, type Messages } from './en.ts';
import { es } from './es.ts';

export type { Messages } from './en.ts';
export type Language = 'en' | 'es';

export const MESSAGES: Readonly<Record<Language, Messages>> = { en, es };

export function languageOf(asked: string | undefined, locale: string): Language {
  return (asked ?? locale).toLowerCase().startsWith('es') ? 'es' : 'en';
}
