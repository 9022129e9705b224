/**
 * What all processes of an installation must have in common, in the table `installation`.
 */
import type { Engine } from '../engine.ts';

export interface InstallationMarks {
  /** Keeps `value` where nothing is kept by this name; answers what is kept. */
  claim(name: string, value: string): Promise<string>;
  /** Puts `value` in the place of whatever is kept. */
  replace(name: string, value: string): Promise<void>;
}

const FIND = 'select value from installation where name = ?';

export function createInstallationMarks(engine: Engine): InstallationMarks {
  const find = async (name: string): Promise<string | null> => {
    const [row] = await engine.read<{ value: string }>(null, FIND, [name]);
    return row?.value ?? null;
  };
  return {
    async claim(name, value) {
      const kept = await find(name);
      if (kept !== null) return kept;
      await engine.transact(null, (transaction) =>
        transaction
          .insertInto('installation')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute(),
      );
      return (await find(name)) ?? value;
    },
    async replace(name, value) {
      await engine.transact(null, (transaction) =>
        transaction
          .insertInto('installation')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
          .execute(),
      );
    },
  };
}
