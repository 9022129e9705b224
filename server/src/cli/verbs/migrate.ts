/** `esclusa migrate`: opening the data brings it up to date, so opening is all there is to do. */
import { placeOf } from '../../config/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { loaded } = await context.installation.configuration();
  await context.installation.openDatabase();
  const place = placeOf(loaded.config.database);
  if (context.isJson) writeJson(context, { database: place, is_current: true });
  else writeLine(context, context.say.migrated(place));
}
