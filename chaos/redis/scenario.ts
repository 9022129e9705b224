/** Everything that may become of Redis, one fault after the other. */
import type { Scenario } from '../scenario.ts';
import { measureAbsent } from './absent.ts';
import { FAULTS, type Fault } from './faults.ts';
import { type Measured, measureFault } from './measure.ts';
import { absentRow, COLUMNS, rowOf } from './report.ts';

const ABSENT = 'absent';

export const redisFaults: Scenario = {
  parts: [...FAULTS.map(({ name }) => name), ABSENT],
  async run(parts, say) {
    const measured: { readonly fault: Fault; readonly one: Measured }[] = [];
    for (const fault of FAULTS.filter(({ name }) => parts.includes(name))) {
      say(`${fault.name}: ${fault.what}`);
      measured.push({ fault, one: await measureFault(fault) });
    }
    if (parts.includes(ABSENT)) say('absent at start');
    const absent = parts.includes(ABSENT) ? await measureAbsent() : null;
    const rows = [
      ...measured.map(({ fault, one }) => rowOf(one, fault)),
      ...(absent === null ? [] : [absentRow(absent)]),
    ];
    return {
      table: { columns: COLUMNS, rows },
      isMet: rows.every((row) => row.at(-1)?.startsWith('met') === true),
      raw: { faults: measured.map(({ one }) => one), absent },
    };
  },
};
