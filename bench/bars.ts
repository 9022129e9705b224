/** The speed the product promises. One place; the results show each figure beside its bar. */
export const bars = {
  /** CPU of a miss with everything on, as a multiple of the bare pass-through. */
  missRatio: 1.8,
  /** How many times less CPU than Portkey. */
  portkeyFactor: 10,
  /** CPU of a cache hit with everything on, as a multiple of the bare pass-through. */
  hitRatio: 1.2,
  /** CPU of a miss on PostgreSQL and Redis, as a multiple of the same on SQLite and memory. */
  engineRatio: 1.25,
  /** What a pool saves of a list's time, in percent, and how many times more lists it gives. */
  poolSavedPercent: 30,
  poolFactor: 2,
  addedP50Ms: 1,
  addedP99Ms: 5,
  firstChunkP99Ms: 5,
  jitterP99Ms: 5,
  startMs: 600,
  rssMb: 256,
} as const;
