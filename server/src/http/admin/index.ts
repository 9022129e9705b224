/**
 * The public face of the control plane.
 */
export { type Access, callerOf } from './access.ts';
export { type AdminExtras, createAdminApp, type RouteSet } from './app.ts';
export type { AdminApp } from './instance.ts';
export type {
  AdminServices,
  BreakerControl,
  BudgetFigures,
  BudgetReader,
  CacheControlPlane,
  ConfigControl,
  HealthReader,
  MetricsText,
} from './services.ts';
