/** `esclusa secrets adopt`: after a loss, when nothing made under the old secret is wanted back. */
import { placeOf } from '../../config/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  const { loaded } = await context.installation.configuration();
  await context.installation.adoptSecret();
  const place = placeOf(loaded.config.database);
  if (context.isJson) writeJson(context, { database: place, is_adopted: true });
  else writeLine(context, context.say.secretAdopted);
}
