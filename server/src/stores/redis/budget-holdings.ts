/**
 * What this process has reserved in Redis and not ended yet, by place, and which census last
 * heard of it. Bounded by the requests in flight and by `PLACES_MOST` places.
 */
import type { Nanousd } from '../../kernel/money.ts';
import { type BudgetPlace, placeName } from './budget-keys.ts';
import type { SharedReservation } from './budget-reservation.ts';

interface Held {
  readonly place: BudgetPlace;
  readonly reservations: Set<SharedReservation>;
  /** The last census that this process answered; null: none yet. */
  told: string | null;
}

const PLACES_MOST = 100_000;

export class BudgetHoldings {
  /** The first to expire first. */
  readonly #all = new Set<SharedReservation>();
  readonly #places = new Map<string, Held>();

  get size(): number {
    return this.#all.size;
  }

  add(reservation: SharedReservation): void {
    this.#all.add(reservation);
    for (const share of reservation.shares) this.#heldAt(share).reservations.add(reservation);
  }

  /** False where it was not held any more. */
  remove(reservation: SharedReservation): boolean {
    if (!this.#all.delete(reservation)) return false;
    for (const share of reservation.shares) {
      this.#places.get(placeName(share))?.reservations.delete(reservation);
    }
    return true;
  }

  /** Whether this process ever reserved or was asked here, as far as it remembers. */
  isKnown(place: BudgetPlace): boolean {
    return this.#places.has(placeName(place));
  }

  toldTo(place: BudgetPlace): string | null {
    return this.#heldAt(place).told;
  }

  /** What is reserved at the place since then; it belongs to this census from now on. */
  tell(place: BudgetPlace, token: string, sinceMs: number): (readonly [string, Nanousd])[] {
    const held = this.#heldAt(place);
    held.told = token;
    const reserved: (readonly [string, Nanousd])[] = [];
    for (const { id, amountNanousd, shares } of held.reservations) {
      const share = shares.find(({ scopeId }) => scopeId === place.scopeId);
      if (share === undefined) continue;
      share.generation = token;
      if (share.madeAtMs >= sinceMs) reserved.push([id, amountNanousd]);
    }
    return reserved;
  }

  *held(): Iterable<readonly [BudgetPlace, string[]]> {
    for (const { place, reservations } of this.#places.values()) {
      if (reservations.size === 0) continue;
      yield [place, [...reservations].map(({ id }) => id)];
    }
  }

  expired(nowMs: number): SharedReservation[] {
    const expired: SharedReservation[] = [];
    for (const reservation of this.#all) {
      if (reservation.expiresAtMs > nowMs) break;
      expired.push(reservation);
    }
    return expired;
  }

  #heldAt({ tenant, scopeId }: BudgetPlace): Held {
    const place = { tenant, scopeId };
    const name = placeName(place);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (this.#places.size >= PLACES_MOST) this.#forgetOne();
    const held: Held = { place, reservations: new Set(), told: null };
    this.#places.set(name, held);
    return held;
  }

  #forgetOne(): void {
    for (const [name, { reservations }] of this.#places) {
      if (reservations.size > 0) continue;
      this.#places.delete(name);
      return;
    }
  }
}
