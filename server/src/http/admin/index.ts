/**
 * The public face of the control plane.
 */
export { type AdminExtras, createAdminApp } from './app.ts';
export type { AdminApp } from './instance.ts';
export type {
  AdminServices,
  ConfigControl,
  HealthReader,
} from './services.ts';
