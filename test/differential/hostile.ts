/**
 * Hostile bytes, slow and stalled clients, huge values, a killed server and a killed gateway: each costs
 * one session, memory stays bounded, nothing is left open, and the others go on.
 */

import type { Suite, SuiteContext } from './harness.ts';
import { checkBytes } from './hostile-bytes.ts';
import { checkFaults } from './hostile-faults.ts';
import { openHostileLab } from './hostile-lab.ts';
import { checkLoad } from './hostile-load.ts';

async function runHostile(context: SuiteContext): Promise<void> {
  const lab = await openHostileLab(context);
  context.progress('bytes');
  await checkBytes(context, lab);
  context.progress('load');
  await checkLoad(context, lab);
  context.progress('faults');
  await checkFaults(context, lab);
}

export const hostile: Suite = {
  name: 'hostile',
  about: 'one bad client, server or disk costs one session and leaks nothing',
  run: runHostile,
};
