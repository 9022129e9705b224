/**
 * What the processes of one program say to each other. Plain data: it is copied, not shared.
 *
 * The primary holds the port and the configuration and answers no request; the members do.
 */
import type { ConfigState, Handover, ReloadOutcome } from '../config/index.ts';
import type { MetricReport } from '../kernel/meter.ts';

/** What a member says of itself when it serves: the caller's own plain data. */
export type Announcement = object;

/** What members ask each other through the primary; `topic` says who answers. */
export interface Question {
  readonly topic: string;
  readonly words: unknown;
}

/** `now` gives running requests no time. */
export type StopHow = 'drain' | 'finish' | 'now';

/** `number` ties an answer to its question. */
export type FromMember =
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready'; readonly announcement: Announcement }
  | { readonly kind: 'figures'; readonly round: number; readonly reports: readonly MetricReport[] }
  | { readonly kind: 'gather'; readonly number: number }
  | { readonly kind: 'poll'; readonly number: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly round: number; readonly answer: unknown }
  | { readonly kind: 'reload'; readonly number: number };

export type ToMember =
  | { readonly kind: 'welcome'; readonly handover: Handover; readonly isReplacement: boolean }
  | { readonly kind: 'config'; readonly state: ConfigState }
  | { readonly kind: 'figures'; readonly round: number }
  | { readonly kind: 'asked'; readonly round: number; readonly question: Question }
  | { readonly kind: 'polled'; readonly number: number; readonly answers: readonly unknown[] }
  | {
      readonly kind: 'gathered';
      readonly number: number;
      readonly reports: readonly (readonly MetricReport[])[];
    }
  | {
      readonly kind: 'reloaded';
      readonly number: number;
      readonly outcome: ReloadOutcome['kind'];
    }
  | { readonly kind: 'stop'; readonly how: StopHow };
