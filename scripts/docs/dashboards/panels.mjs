/**
 * What a dashboard is, the panels it is made of and the expressions in them.
 */

/**
 * @typedef {{ title: string, unit: string, queries: Readonly<Record<string, string>>,
 *   kind: 'timeseries' | 'stat' }} Panel `queries`: expressions by their legends
 * @typedef {{ uid: string, title: string, description: string,
 *   panels: readonly Panel[] }} Dashboard
 */

/** The interval that fits the scrapes and the width of the panel. */
const RATE = '[$__rate_interval]';

/**
 * @param {string} title
 * @param {string} unit
 * @param {Panel['queries']} queries
 * @returns {Panel}
 */
export function graph(title, unit, queries) {
  return { title, unit, queries, kind: 'timeseries' };
}

/**
 * A figure in large letters.
 *
 * @param {string} title
 * @param {string} unit
 * @param {Panel['queries']} queries
 * @returns {Panel}
 */
export function stat(title, unit, queries) {
  return { title, unit, queries, kind: 'stat' };
}

/**
 * @param {number} share
 * @param {string} metric
 * @param {string} by
 * @param {string} only
 */
export function quantile(share, metric, by = '', only = '') {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket${only}${RATE})))`;
}

/**
 * @param {string} metric
 * @param {string} by
 */
export function rate(metric, by = '') {
  return by === '' ? `sum(rate(${metric}${RATE}))` : `sum by (${by}) (rate(${metric}${RATE}))`;
}
