/**
 * Experiments: what each arm is, for whom its flag is on, and how both did lately. They are
 * begun in the configuration and steered by their flags; here they are only looked at.
 */
import {
  type Experiment,
  errorSchema,
  experimentListSchema,
  experimentQuerySchema,
} from '@esclusa/contracts';
import { flagToWire } from '../../shapes/flags.ts';
import { timestamp } from '../../shapes/index.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices, RunningExperiment } from '../services.ts';

const MS_PER_HOUR = 3_600_000;

export function experimentRoutes(app: AdminApp, services: AdminServices): void {
  app.get(
    '/api/v1/experiments',
    {
      config: { access: 'flags.read' },
      schema: {
        tags: ['flags'],
        summary: 'List experiments with the figures of their arms',
        querystring: experimentQuerySchema,
        response: { 200: experimentListSchema, default: errorSchema },
      },
    },
    async ({ query }) => {
      const sinceMs = services.clock.wallMs() - query.hours * MS_PER_HOUR;
      const running = services.experiments();
      const data = await Promise.all(
        running.map((one) => experimentToWire(one, services, sinceMs)),
      );
      return { data, next: null };
    },
  );
}

async function experimentToWire(
  { model, experiment }: RunningExperiment,
  { flags, arms }: AdminServices,
  sinceMs: number,
): Promise<Experiment> {
  const { flag, control, candidate } = experiment;
  const [views, figures] = await Promise.all([flags.list(), arms.read(flag, sinceMs)]);
  const view = views.find(({ name }) => name === flag) ?? { name: flag, record: null };
  const armOf = ({ targets, prompt }: RunningExperiment['experiment']['control']) => ({
    targets: targets.map(({ id }) => id),
    prompt: prompt?.id ?? null,
  });
  return {
    ...{ model, since: timestamp(sinceMs), flag: flagToWire(view, flags.isForcedOff) },
    control: { ...armOf(control), figures: figures.control },
    candidate: { ...armOf(candidate), figures: figures.candidate },
  };
}
