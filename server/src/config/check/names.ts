/**
 * Names that must lead somewhere: targets to providers, roles to models, providers to vendors.
 */
import { MOCK_NAME } from '../../providers/mock/settings.ts';
import { ROLE_PREFIX } from '../conditions.ts';
import { type ModelSettings, sectionFor } from '../effective.ts';
import { SECRET_HEADERS } from '../schema/conditions.ts';
import type { Path } from '../schema/walk.ts';
import { hint } from '../source/suggest.ts';
import { isAtHome, vendorOf } from '../vendors.ts';
import { checkExperiments } from './experiments.ts';
import { checkLeads, unknownProvider } from './leads.ts';
import { type CheckInput, type Report, refuse, warn } from './report.ts';

type WhenSettings = NonNullable<ModelSettings['when']>;

export function checkNames(input: CheckInput, report: Report): void {
  checkProviders(input, report);
  for (const alias of Object.keys(input.settings.models)) checkTargets(input, report, alias);
  checkExperiments(input, report);
  checkRoles(input, report);
  checkRetired(input, report);
  checkBreakers(input, report);
}

function checkProviders(input: CheckInput, report: Report): void {
  const { vendors } = input.catalogue;
  for (const [name, provider] of Object.entries(input.settings.providers)) {
    if (provider.kind === MOCK_NAME) continue;
    const path = ['providers', name];
    const vendor = vendorOf(name, provider, vendors);
    if ('vendor' in provider && provider.vendor !== undefined && vendor === null) {
      const known = vendors.filter(({ kind }) => kind === provider.kind).map(({ id }) => id);
      const shown = JSON.stringify(provider.vendor);
      const message = `${shown} is not in the catalogue${hint(provider.vendor, known)}`;
      refuse(report, input, [...path, 'vendor'], `${message}; known: ${known.join(', ')}`);
    } else if (provider.base_url === undefined) {
      refuse(
        report,
        input,
        [...path, 'base_url'],
        'is missing, and no vendor of the catalogue gives it',
      );
    } else if (vendor?.apiKeyEnv && !provider.api_key && isAtHome(vendor, provider.base_url)) {
      refuse(
        report,
        input,
        [...path, 'api_key'],
        `is missing; set it here or in ${vendor.apiKeyEnv}`,
      );
    }
  }
}

function checkTargets(input: CheckInput, report: Report, alias: string): void {
  const model = input.settings.models[alias];
  if (model === undefined) return;
  const names = input.providerNames;
  for (const [index, target] of model.targets.entries()) {
    const path = ['models', alias, 'targets', index];
    const provider = input.settings.providers[target.provider];
    if (!names.includes(target.provider)) {
      refuse(report, input, [...path, 'provider'], unknownProvider(target.provider, names));
    } else if (provider !== undefined && target.price === undefined && model.price === undefined) {
      const vendor = vendorOf(target.provider, provider, input.catalogue.vendors);
      const known = vendor && input.catalogue.find(vendor.id, target.model, input.nowMs);
      const id = `${target.provider}/${target.model}`;
      if (!known) warn(report, input, path, `no price is known for ${id}: booked as unpriced`);
    }
  }
  if (model.sticky !== undefined && model.strategy !== 'weighted') {
    const message = `holds under the strategy weighted, and here it is ${model.strategy}`;
    refuse(report, input, ['models', alias, 'sticky'], message);
  }
  for (const [path, header] of headersOf(input, alias)) {
    if (!SECRET_HEADERS.includes(header)) continue;
    const message = 'holds a credential, and is nothing to compare in a file';
    refuse(report, input, path, message);
  }
  if (model.strategy === 'weighted' && model.targets.every(({ weight }) => weight === 0)) {
    refuse(report, input, ['models', alias, 'targets'], 'every weight is 0; accepted: one above 0');
  }
}

/** Every header that the conditions and the label of an alias name, and where. */
function headersOf({ settings }: CheckInput, alias: string): readonly (readonly [Path, string])[] {
  const model = settings.models[alias];
  const below = (path: Path, when: WhenSettings | undefined) =>
    Object.keys(when?.header ?? {}).map(
      (name) => [[...path, 'when', 'header', name], name] as const,
    );
  const path = ['models', alias];
  const label = model?.sticky?.startsWith('header.') ? model.sticky.slice('header.'.length) : null;
  return [
    ...below(path, model?.when),
    ...(model?.targets ?? []).flatMap(({ when }, at) => below([...path, 'targets', at], when)),
    ...(label === null ? [] : [[[...path, 'sticky'], label] as const]),
  ];
}

function checkRoles(input: CheckInput, report: Report): void {
  const { roles } = input.settings;
  for (const [role, model] of Object.entries(roles)) {
    checkLeads(input, report, ['roles', role], model);
  }
  if (input.providerNames.includes(ROLE_PREFIX)) {
    const message = 'is kept for roles: clients ask for them as role/<name>; choose another name';
    refuse(report, input, ['providers', ROLE_PREFIX], message);
  }
}

function checkRetired(input: CheckInput, report: Report): void {
  for (const [name, model] of Object.entries(input.settings.retired_models)) {
    const path = ['retired_models', name];
    if (input.aliasNames.includes(name)) {
      refuse(report, input, path, 'is an alias under `models`, and cannot be retired too');
    } else if (name.startsWith(`${ROLE_PREFIX}/`)) {
      refuse(report, input, path, 'is a role’s name; say under `roles` what answers it');
    } else {
      checkLeads(input, report, path, model);
    }
  }
}

/** A target has one breaker, whichever alias leads to it, so its settings must be one. */
function checkBreakers(input: CheckInput, report: Report): void {
  const { settings } = input;
  const owners = new Map<string, { readonly alias: string; readonly text: string }>();
  for (const [alias, model] of Object.entries(settings.models)) {
    if (model.breaker === undefined) continue;
    for (const { provider, model: name } of model.targets) {
      const section = sectionFor(settings, 'breaker', settings.providers[provider], model);
      const text = JSON.stringify(section, Object.keys(section).sort());
      const owner = owners.get(`${provider}/${name}`);
      if (owner !== undefined && owner.text !== text) {
        const message = `differs from models.${owner.alias}.breaker for ${provider}/${name}`;
        refuse(report, input, ['models', alias, 'breaker'], `${message}; a target has one breaker`);
      }
      if (owner === undefined) owners.set(`${provider}/${name}`, { alias, text });
    }
  }
}
