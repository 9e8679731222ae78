/** The smallest policy that blocks, masks and finds sensitive, for tests of the relay. */

import type { Decision, Operation } from '../../protocols/contract.ts';
import { SessionTalk, signedIn } from './postgres-session.ts';
import { decodeFields, MessageReader } from './raw-postgres.ts';

export const block: Decision = {
  kind: 'block',
  rule: 'r',
  code: '42501',
  reason: 'blocked by rule r',
  hint: 'h',
};

/** Blocks statements with "drop", finds "secret" sensitive, masks the columns named so. */
export function policy(operation: Operation): Decision {
  if (operation.kind === 'statement') {
    if (operation.text.includes('drop')) return block;
    return {
      kind: 'allow',
      isSensitive: operation.text.includes('secret'),
      trace: { label: operation.text },
    };
  }
  if (operation.kind !== 'result') return { kind: 'allow' };
  return {
    kind: 'allow',
    plan: operation.columns.map(({ name }) =>
      name === 'secret' ? () => Buffer.from('***') : undefined,
    ),
  };
}

export const talking = (): SessionTalk => signedIn({ decide: policy });

export function fieldsIn(bytes: Buffer): Record<string, string> {
  const found = new MessageReader().push(bytes).find(({ type }) => type === 'E' || type === 'N');
  return found === undefined ? {} : decodeFields(found.body);
}
