/**
 * What a process knows of a tenant's scopes, made when it is first asked for. Bounded: what is
 * held is kept, and of the rest the oldest goes.
 */
export class PlaceBook<Place> {
  readonly #most: number;
  readonly #make: (tenant: string, scopeId: string) => Place;
  readonly #isHeld: (place: Place) => boolean;
  readonly #tenants = new Map<string, Map<string, Place>>();
  #size = 0;

  constructor(
    most: number,
    make: (tenant: string, scopeId: string) => Place,
    isHeld: (place: Place) => boolean = () => false,
  ) {
    this.#most = most;
    this.#make = make;
    this.#isHeld = isHeld;
  }

  known(tenant: string, scopeId: string): Place | undefined {
    return this.#tenants.get(tenant)?.get(scopeId);
  }

  of(tenant: string, scopeId: string): Place {
    const known = this.known(tenant, scopeId);
    if (known !== undefined) return known;
    if (this.#size >= this.#most) this.#forgetOne();
    const scopes = this.#tenants.get(tenant) ?? new Map<string, Place>();
    this.#tenants.set(tenant, scopes);
    const place = this.#make(tenant, scopeId);
    scopes.set(scopeId, place);
    this.#size += 1;
    return place;
  }

  *all(): Iterable<Place> {
    for (const scopes of this.#tenants.values()) yield* scopes.values();
  }

  #forgetOne(): void {
    for (const [tenant, scopes] of this.#tenants) {
      for (const [scopeId, place] of scopes) {
        if (this.#isHeld(place)) continue;
        scopes.delete(scopeId);
        if (scopes.size === 0) this.#tenants.delete(tenant);
        this.#size -= 1;
        return;
      }
    }
  }
}
