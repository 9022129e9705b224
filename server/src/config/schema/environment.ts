/**
 * The names that only the environment has: where the configuration file is, and the names of
 * features that are not in this release. The latter are parsed and checked like any setting,
 * so that a deployment can carry them already; setting one is answered with a warning.
 *
 * Names that would change where data lives or who answers, and cannot be honoured yet, are not
 * among those: `refusals.ts` stops the start for them.
 */
import { flag, optionalText, text } from './setting.ts';

const LEARNING = 'the learning application';

const ANY = /^.{1,4096}$/s;

export const environmentOnly = {
  ESCLUSA_CONFIG: text('./esclusa.yaml', ANY, {
    apply: 'restart',
    accepts: 'a path',
    description: 'The configuration file; without the variable the file may be absent.',
  }),

  DEBUG: flag(false, {
    usedBy: 'the control plane',
    description: 'Longer error pages; refused in production.',
  }),
  LLM_PROVIDER: optionalText(/^[A-Za-z0-9][\w.-]{0,63}$/, {
    usedBy: LEARNING,
    accepts: 'the name of a provider',
    description: 'The provider of applications that name no role.',
  }),
  GF_SECURITY_ADMIN_PASSWORD: optionalText(/^(?!admin$).+$/s, {
    usedBy: 'the bundled Grafana',
    secret: true,
    accepts: 'any text but `admin`',
    description: 'The password of the bundled dashboards.',
  }),
} as const;

export type EnvironmentOnly = keyof typeof environmentOnly;
