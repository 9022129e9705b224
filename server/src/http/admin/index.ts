/**
 * The public face of the control plane.
 */
export { type Access, callerOf } from './access.ts';
export { type AdminApp, type AdminExtras, createAdminApp, type RouteSet } from './app.ts';
export type { DocumentedRoute } from './docs.ts';
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
