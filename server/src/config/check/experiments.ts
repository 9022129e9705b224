/**
 * What aliases try on some of their callers, and the prompts that they name: each must lead to
 * one there is, and the two arms of an experiment must differ.
 */
import { promptOf, promptReferences } from '../prompts.ts';
import type { Path } from '../schema/walk.ts';
import { checkLeads, notConfigured } from './leads.ts';
import { type CheckInput, type Report, refuse } from './report.ts';

export function checkExperiments(input: CheckInput, report: Report): void {
  for (const [alias, { prompt, experiment }] of Object.entries(input.settings.models)) {
    const path = ['models', alias];
    checkPrompt(input, report, [...path, 'prompt'], prompt);
    if (experiment === undefined) continue;
    const below = [...path, 'experiment'];
    checkCandidate(input, report, alias);
    checkPrompt(input, report, [...below, 'prompt'], experiment.prompt);
    if (experiment.candidate !== undefined) continue;
    if (experiment.prompt === undefined) {
      const message = 'has neither `candidate` nor `prompt`: there is nothing to try';
      refuse(report, input, below, message);
    } else if (experiment.prompt === prompt) {
      refuse(report, input, [...below, 'prompt'], 'is the prompt that the alias has anyway');
    }
  }
}

function checkPrompt(
  input: CheckInput,
  report: Report,
  path: Path,
  reference: string | undefined,
): void {
  if (reference === undefined || promptOf(input.settings, reference) !== undefined) return;
  const known = promptReferences(input.settings);
  refuse(report, input, path, notConfigured(reference, 'a version of a prompt', known));
}

/** A candidate leads to a model at once: not to itself, and not to another experiment. */
function checkCandidate(input: CheckInput, report: Report, alias: string): void {
  const candidate = input.settings.models[alias]?.experiment?.candidate;
  if (candidate === undefined) return;
  const path = ['models', alias, 'experiment', 'candidate'];
  if (candidate === alias) refuse(report, input, path, 'is the alias itself');
  else if (input.settings.models[candidate]?.experiment !== undefined) {
    refuse(report, input, path, `${JSON.stringify(candidate)} has an experiment of its own`);
  } else checkLeads(input, report, path, candidate);
}
