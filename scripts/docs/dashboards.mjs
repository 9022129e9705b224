/**
 * `deploy/grafana/generated/*.json`: the dashboards, made from short descriptions so that a
 * panel is a title, a unit and its expressions. Panels stand two in a row, in their order.
 */
import { cache } from './dashboards/cache.mjs';
import { cost } from './dashboards/cost.mjs';
import { database } from './dashboards/database.mjs';
import { gateway } from './dashboards/gateway.mjs';
import { operations } from './dashboards/operations.mjs';

/**
 * @typedef {import('./dashboards/panels.mjs').Panel} Panel
 * @typedef {import('./dashboards/panels.mjs').Dashboard} Dashboard
 */

const DASHBOARDS = [gateway, cost, cache, database, operations];
const PANEL = { width: 12, height: 8 };
const SOURCE = { type: 'prometheus', uid: '$datasource' };

/** Paths are below the root of the project. */
export async function dashboardDocuments() {
  return DASHBOARDS.map((dashboard) => ({
    path: `deploy/grafana/generated/${dashboard.uid.replace('esclusa-', '')}.json`,
    text: `${JSON.stringify(dashboardOf(dashboard), null, 2)}\n`,
  }));
}

/** @param {Dashboard} dashboard */
function dashboardOf({ uid, title, description, panels }) {
  return {
    uid,
    title,
    description,
    tags: ['esclusa'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Source' }],
    },
    panels: panels.map(panelOf),
  };
}

/**
 * @param {Panel} panel
 * @param {number} at
 */
function panelOf({ title, unit, queries, kind }, at) {
  return {
    id: at + 1,
    title,
    type: kind,
    datasource: SOURCE,
    gridPos: {
      x: (at % 2) * PANEL.width,
      y: Math.floor(at / 2) * PANEL.height,
      w: PANEL.width,
      h: PANEL.height,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
  };
}
