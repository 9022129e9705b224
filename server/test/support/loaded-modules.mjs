/**
 * Preloaded into a process whose modules are to be known: writes the address of each as it is
 * loaded to the file that `LOADED_MODULES` names.
 */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env.LOADED_MODULES ?? '';

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
