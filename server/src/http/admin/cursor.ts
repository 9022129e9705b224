/**
 * Cursors of lists: the last position a page ended at, signed, so that one that was changed,
 * made up, or taken from another list or another tenant's list is refused.
 *
 * A cursor is no permission: who may read which rows is decided again on every page.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../gateway/index.ts';

const SIGNATURE_BYTES = 16;

export interface Cursors {
  /** `scope` is everything a position depends on: the list's name, the tenant it is of. */
  sign(scope: readonly (string | null)[], position: string): string;
  /** The position; null where no cursor was sent. Throws `cursor_invalid`. */
  read(scope: readonly (string | null)[], cursor: string | undefined): string | null;
}

export function createCursors(key: Buffer): Cursors {
  function signature(scope: readonly (string | null)[], position: string): Buffer {
    const text = JSON.stringify([scope, position]);
    return createHmac('sha256', key).update(text).digest().subarray(0, SIGNATURE_BYTES);
  }
  return {
    sign(scope, position) {
      const signed = Buffer.concat([signature(scope, position), Buffer.from(position)]);
      return signed.toString('base64url');
    },
    read(scope, cursor) {
      if (cursor === undefined) return null;
      const signed = Buffer.from(cursor, 'base64url');
      const position = signed.subarray(SIGNATURE_BYTES).toString();
      const sent = signed.subarray(0, SIGNATURE_BYTES);
      // Encoding again refuses the many other texts that decode to the same bytes.
      const isGenuine =
        sent.length === SIGNATURE_BYTES &&
        timingSafeEqual(sent, signature(scope, position)) &&
        signed.toString('base64url') === cursor;
      if (isGenuine) return position;
      throw new GatewayError('cursor_invalid', {
        message: '`cursor` was not given out for this list. Start without one.',
        field: 'cursor',
      });
    },
  };
}

/** One page of a list: rows are asked for one more than are shown, to know whether more follow. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => Item,
  cursorAfter: (last: Row) => string,
): { data: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { data: shown.map(show), next: hasMore ? cursorAfter(last) : null };
}
