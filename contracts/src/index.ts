/**
 * Every shape of the control plane, once: the server checks and documents with these schemas,
 * the console and the command line read with them.
 */
export * from './audit.ts';
export * from './auth.ts';
export * from './common.ts';
export * from './experiments.ts';
export * from './explain.ts';
export * from './flags.ts';
export * from './gateway.ts';
export * from './health.ts';
export * from './home.ts';
export * from './jobs.ts';
export * from './keys.ts';
export * from './requests.ts';
export * from './tenants.ts';
export * from './users.ts';
