/**
 * Amounts, counts and instants as people read them. Machines get exact figures by `--json`.
 */
const NANOUSD_PER_MICROUSD = 1000;
const MICROUSD_PER_USD = 1_000_000;

/** Nano-dollars as dollars to the micro-dollar, half up: 1 234 500 → `$0.001235`. */
export function formatUsd(amount: number | null): string {
  if (amount === null) return '?';
  const micro = Math.floor(amount / NANOUSD_PER_MICROUSD + 0.5);
  const whole = Math.floor(micro / MICROUSD_PER_USD);
  return `$${whole}.${String(micro % MICROUSD_PER_USD).padStart(6, '0')}`;
}

/** In Spanish in groups apart, because a point stands for decimals in the amounts beside it. */
export function formatCount(count: number, language: string): string {
  const text = new Intl.NumberFormat('en', { useGrouping: 'always' }).format(count);
  return language === 'es' ? text.replaceAll(',', '\u00a0') : text;
}

/** A dollar amount as text, with cents where it has any: `1.5` → `$1.50`. */
export function formatDollars(usd: string): string {
  return `$${usd.replace(/\.(\d)$/, '.$10')}`;
}

/** `2026-11-20 09:00:03`, UTC. */
export function formatInstant(ms: number | null): string {
  return ms === null ? '–' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
