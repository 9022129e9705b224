/** `esclusa config schema` */
import { fileJsonSchema } from '../../config/index.ts';
import { type VerbContext, writeJson } from '../context.ts';

export async function run(context: VerbContext): Promise<undefined> {
  writeJson(context, fileJsonSchema());
}
