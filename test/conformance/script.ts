/** One script of bytes for the differential test, and what scripts are made of. */

import { bind, describe, execute, parse, startup } from '../support/raw-postgres.ts';

export interface Script {
  readonly name: string;
  /** What is written before the answers to the last are awaited. The first one signs in. */
  readonly steps: readonly Buffer[];
  readonly isLong?: boolean;
  readonly hasPayloads?: boolean;
  /** Weir refuses with words of its own. */
  readonly isRefused?: boolean;
}

const SIGN_IN = startup({ user: 'postgres', database: 'postgres', application_name: 'script' });

export function script(name: string, ...steps: readonly (readonly Buffer[])[]): Script {
  return { name, steps: [SIGN_IN, ...steps.map((parts) => Buffer.concat(parts))] };
}

/** Parse, Bind, Describe of the portal, Execute; all unnamed. */
export const select = (sql: string): Buffer[] => [
  parse('', sql),
  bind('', ''),
  describe('P'),
  execute(),
];
export const bare = (sql: string): Buffer[] => [parse('', sql), bind('', ''), execute()];
