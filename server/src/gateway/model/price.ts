/**
 * What a model costs. A price row never changes: another price is another row with another
 * identifier, and every exchange stores the identifier it was charged under.
 */
import type { PicousdPerToken } from '../../kernel/money.ts';

export interface Price {
  /** Derived from provider, model and figures: the same price has the same id everywhere. */
  readonly id: string;
  readonly inputPicousd: PicousdPerToken;
  /** For input the provider served from its own prompt cache. */
  readonly cachedInputPicousd: PicousdPerToken;
  /** For input that is written to that cache; absent: the price of input. */
  readonly cacheWritePicousd?: PicousdPerToken;
  readonly outputPicousd: PicousdPerToken;
}
