import type { Protocol } from '../contract.ts';
import { MysqlSession } from './session.ts';

/** MySQL and MariaDB servers. */
export const mysql: Protocol = {
  name: 'mysql',
  defaultPort: 3306,
  createSession: (options) => new MysqlSession(options),
};
