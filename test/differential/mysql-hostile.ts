/**
 * Hostile bytes, slow and stalled clients, huge values, a hostile server, a killed server and a killed
 * gateway, all in front of MariaDB: each costs one session, memory stays bounded, nothing is left open,
 * and the others go on.
 */

import type { Suite, SuiteContext } from './harness.ts';
import { checkMysqlBytes } from './mysql-hostile-bytes.ts';
import { checkMysqlFaults } from './mysql-hostile-faults.ts';
import { openMysqlHostileLab } from './mysql-hostile-lab.ts';
import { checkMysqlLoad } from './mysql-hostile-load.ts';
import { checkHostileServer } from './mysql-hostile-server.ts';
import { isMariadbMissing } from './mysql-lab.ts';

async function runMysqlHostile(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-hostile')) return;
  const lab = await openMysqlHostileLab(context);
  context.progress('bytes');
  await checkMysqlBytes(context, lab);
  context.progress('a hostile server');
  await checkHostileServer(context);
  context.progress('load');
  await checkMysqlLoad(context, lab);
  context.progress('faults');
  await checkMysqlFaults(context, lab);
}

export const mysqlHostile: Suite = {
  name: 'mysql-hostile',
  about: 'one bad MySQL client or server costs one session and leaks nothing',
  run: runMysqlHostile,
};
