import type { Protocol } from '../contract.ts';
import { PostgresSession } from './session.ts';

export const postgres: Protocol = {
  name: 'postgres',
  defaultPort: 5432,
  createSession: (options) => new PostgresSession(options),
};
