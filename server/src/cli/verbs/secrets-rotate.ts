/**
 * `esclusa secrets rotate`: what to set so that tokens are signed by a new secret while those
 * of the one before stay good. It changes nothing itself: secrets belong to the environment.
 */
import { generateMasterSecret } from '../../identity/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';

const SECONDS_PER_MINUTE = 60;

export async function run(context: VerbContext): Promise<undefined> {
  const { loaded } = await context.installation.configuration();
  const { secretKey, keyGeneration, accessMinutes } = loaded.config.auth;
  const forgetAfterSeconds = accessMinutes * SECONDS_PER_MINUTE;
  const { rotation } = context.say.tenants;
  if (secretKey === null) {
    const generation = keyGeneration + 1;
    if (context.isJson) {
      const set = { 'auth.key_generation': generation };
      writeJson(context, { set, forget_after_seconds: forgetAfterSeconds });
    } else writeLine(context, rotation.derived(generation));
    return;
  }
  const secret = generateMasterSecret(context.installation.random);
  if (context.isJson) {
    writeJson(context, {
      move: { from: 'JWT_SECRET_KEY', to: 'JWT_PREVIOUS_SECRET_KEY' },
      set: { JWT_SECRET_KEY: secret },
      forget_after_seconds: forgetAfterSeconds,
    });
    return;
  }
  writeLine(context, rotation.move);
  writeLine(context, `JWT_SECRET_KEY=${secret}`);
  writeLine(context, rotation.forget(accessMinutes));
}
