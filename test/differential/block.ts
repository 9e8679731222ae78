/**
 * A rule that blocks drop, truncate and delete, against everything of PG-55..PG-72 that a client can
 * send, in every form of the protocol. After each attempt a checksum of the watched schema, taken past
 * the gateway, must be unchanged and the session usable. Each attempt first proves direct that it
 * would do harm.
 */

import { BLOCK_CASES, type BlockCase } from './block-cases.ts';
import { BLOCK_DATABASE } from './block-database.ts';
import { checkAllowed, checkStates } from './block-states.ts';
import { checkHarmlessTypes, checkSpecial } from './block-special.ts';
import { BlockLab } from './block-lab.ts';
import type { Suite, SuiteContext } from './harness.ts';
import type { Way } from './lab.ts';
import { connectRaw, type RawClient, RawEnd } from '../support/raw-client.ts';
import { bind, decodeFields, describe, execute, parse, sync } from '../support/raw-postgres.ts';

type Form = 'simple' | 'transaction' | 'extended' | 'pipelined' | 'prepared';

const FORMS: readonly Form[] = ['simple', 'transaction', 'extended', 'pipelined', 'prepared'];

/** Sends the steps in one form; refusals are as welcome as answers here. */
async function sendSteps(client: RawClient, steps: BlockCase['steps'], form: Form): Promise<void> {
  switch (form) {
    case 'simple':
      for (const step of steps) await client.query(step);
      return;
    case 'transaction':
      await client.query('BEGIN');
      for (const step of steps) await client.query(step);
      await client.query('COMMIT');
      return;
    case 'extended':
      for (const step of steps) {
        await client.exchange([parse('', step), bind('', ''), describe('P'), execute(), sync()]);
      }
      return;
    case 'pipelined':
      await client.exchange([
        ...steps.flatMap((step) => [parse('', step), bind('', ''), execute()]),
        sync(),
      ]);
      return;
    case 'prepared':
      for (const [index, step] of steps.entries()) {
        await client.exchange([parse(`s${index}`, step), describe('S', `s${index}`), sync()]);
      }
      // Executed without a description, in exchanges of their own and twice (PG-40).
      for (const index of [...steps.keys(), ...steps.keys()]) {
        await client.exchange([bind('', `s${index}`), execute(), sync()]);
      }
  }
}

/** The session must answer, and a transaction left open must end as one would expect. */
async function checkUsable(client: RawClient): Promise<void> {
  await client.query('ROLLBACK');
  const answer = await client.query("SELECT 'usable'");
  const types = answer.map((one) => one.type).join('');
  if (types !== 'TDCZ') {
    const error = answer.find((one) => one.type === 'E');
    const reason = error === undefined ? types : JSON.stringify(decodeFields(error.body));
    throw new Error(`the session is not usable afterwards: ${reason}`);
  }
  if (answer.at(-1)?.body.toString() !== 'I')
    throw new Error('still in a transaction after ROLLBACK');
}

async function attempt(way: Way, one: BlockCase, form: Form): Promise<void> {
  const client = await connectRaw({
    ...way,
    database: 'lab',
    parameters: one.parameters ?? {},
  }).catch((error: unknown) => {
    // Start-up parameters that change the lexer may be refused at sign-in (PG-66).
    if (one.parameters !== undefined && error instanceof RawEnd) return undefined;
    throw error;
  });
  if (client === undefined) return;
  try {
    await client.until('Z');
    await sendSteps(client, one.steps, form);
    await checkUsable(client);
  } catch (error) {
    // Where the lexer's state cannot be followed, the session may close: fail closed (PG-66).
    if (!(one.trap === 'PG-66' && client.isClosed)) throw error;
  } finally {
    client.close();
  }
}

function formsOf(one: BlockCase): readonly Form[] {
  if (one.isSimpleOnly === true) return ['simple'];
  const hasTransaction = one.steps.some((step) => String(step).startsWith('BEGIN'));
  return hasTransaction ? ['simple', 'extended'] : FORMS;
}

async function checkCase(context: SuiteContext, lab: BlockLab, one: BlockCase): Promise<void> {
  const title = one.steps.map((step) => step.toString('latin1').slice(0, 70)).join(' / ');
  const isPotent = await lab.doesHarm(() => attempt(lab.direct, one, 'simple'));
  if (!isPotent) return context.fail(`${one.trap} ${title}`, 'does no harm even direct');
  for (const form of formsOf(one)) {
    await context.check(`${one.trap} ${form}: ${title}`, async () => {
      if (await lab.doesHarm(() => attempt(lab.through, one, form))) {
        throw new Error('the watched schema has changed');
      }
    });
  }
}

async function runBlock(context: SuiteContext): Promise<void> {
  const lab = await BlockLab.open(context, BLOCK_DATABASE);
  for (const [index, one] of BLOCK_CASES.entries()) {
    if (index % 25 === 0) context.progress(`attempt ${index + 1} of ${BLOCK_CASES.length}`);
    await checkCase(context, lab, one);
  }
  context.progress('FunctionCall, COPY, types, event triggers, dblink');
  await checkSpecial(context, lab);
  context.progress('states after a refusal');
  await checkStates(context, lab);
  context.progress('what must be let through');
  await checkAllowed(context, lab);
  await checkHarmlessTypes(context, lab);
}

export const block: Suite = {
  name: 'block',
  about: 'nothing gets past a rule that blocks drop, truncate and delete',
  run: runBlock,
};
