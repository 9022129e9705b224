/**
 * What this process has reserved in Redis and not ended yet, by place, and which census last
 * heard of it. Bounded by the requests in flight and by `PLACES_MOST` places.
 */
import { LinkedList } from '../../kernel/linked-list.ts';
import type { Nanousd } from '../../kernel/money.ts';
import { type BudgetPlace, budgetKeys } from './budget-keys.ts';
import type { HeldPlace, SharedReservation } from './budget-reservation.ts';
import { PlaceBook } from './place-book.ts';

const PLACES_MOST = 100_000;

function newPlace(tenant: string, scopeId: string): HeldPlace {
  const keys = budgetKeys({ tenant, scopeId });
  return { tenant, scopeId, keys, told: null, asking: 0, reservations: new LinkedList() };
}

export class BudgetHoldings {
  /** The first to expire first. */
  readonly #all = new LinkedList<SharedReservation>();
  readonly #places: PlaceBook<HeldPlace>;

  constructor(placesMost = PLACES_MOST) {
    // What a census that comes now must find is not forgotten.
    const isHeld = ({ reservations, asking }: HeldPlace) => reservations.size + asking > 0;
    this.#places = new PlaceBook(placesMost, newPlace, isHeld);
  }

  get size(): number {
    return this.#all.size;
  }

  at(tenant: string, scopeId: string): HeldPlace {
    return this.#places.of(tenant, scopeId);
  }

  /** The same, kept until it was `answered`. */
  ask(tenant: string, scopeId: string): HeldPlace {
    const place = this.at(tenant, scopeId);
    place.asking += 1;
    return place;
  }

  answered(places: readonly HeldPlace[]): void {
    for (const place of places) place.asking -= 1;
  }

  /** Where this process ever reserved or was asked, as far as it remembers. */
  known(tenant: string, scopeId: string): HeldPlace | undefined {
    return this.#places.known(tenant, scopeId);
  }

  add(reservation: SharedReservation): void {
    reservation.holdings.push(this.#all.push(reservation));
    for (const { place } of reservation.promised.shares) {
      reservation.holdings.push(place.reservations.push(reservation));
    }
  }

  /** False where it was not held any more. */
  remove({ holdings }: SharedReservation): boolean {
    const isHeld = holdings.length > 0;
    for (const holding of holdings) holding.remove();
    holdings.length = 0;
    return isHeld;
  }

  /** What is reserved at the place since then; it belongs to this census from now on. */
  tell(
    { tenant, scopeId }: BudgetPlace,
    token: string,
    sinceMs: number,
  ): (readonly [string, Nanousd])[] {
    const place = this.at(tenant, scopeId);
    place.told = token;
    const reserved: (readonly [string, Nanousd])[] = [];
    for (const { promised } of place.reservations.toArray()) {
      const { id, shares } = promised;
      const share = shares.find((one) => one.place === place);
      if (share === undefined) continue;
      share.generation = token;
      if (share.madeAtMs >= sinceMs) reserved.push([id, share.countedNanousd]);
    }
    return reserved;
  }

  /** That census may not have heard it. */
  withdraw({ tenant, scopeId }: BudgetPlace, token: string): void {
    const place = this.known(tenant, scopeId);
    for (const { promised } of place?.reservations.toArray() ?? []) {
      for (const share of promised.shares) {
        if (share.place === place && share.generation === token) share.generation = '';
      }
    }
  }

  *held(): Iterable<readonly [HeldPlace, string[]]> {
    for (const place of this.#places.all()) {
      if (place.reservations.size === 0) continue;
      yield [place, place.reservations.toArray().map(({ promised }) => promised.id)];
    }
  }

  /** Of these the ones that are reserved there now, and when they were. */
  stillHeld(place: HeldPlace, ids: readonly string[]): (readonly [id: string, madeAtMs: number])[] {
    if (ids.length === 0) return [];
    const wanted = new Set(ids);
    const held = place.reservations.toArray().filter(({ promised }) => wanted.has(promised.id));
    return held.map(({ promised: { id, shares } }) => {
      const share = shares.find((one) => one.place === place);
      return [id, share?.madeAtMs ?? 0] as const;
    });
  }

  expired(nowMs: number): SharedReservation[] {
    const { first } = this.#all;
    if (first === undefined || first.promised.expiresAtMs > nowMs) return [];
    return this.#all.toArray().filter(({ promised }) => promised.expiresAtMs <= nowMs);
  }
}
