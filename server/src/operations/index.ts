/**
 * The public face of operations.
 */
export { generateEntries } from './demonstration/generate.ts';
export { type Application, demonstrationPlan, type SeedPlan } from './demonstration/plan.ts';
