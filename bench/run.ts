/**
 * `npm run bench [-- --seconds 2 --rounds 1 --protocol postgres,mysql,store,redis --load select,prepared,rows]`: the
 * same load direct, through a bare byte copy in Node, through HAProxy and PgBouncer where they are
 * installed, and through Weir in its modes; rounds are interleaved, so that a noisy machine hits all
 * alike. Prints throughput, latency and CPU per transaction of the proxy process, as ratios. Absolute
 * numbers are this machine's alone. About twenty minutes as it is, a quarter of them for each protocol.
 */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { mysqlSuite } from './mysql.ts';
import { postgresSuite } from './postgres.ts';
import { redisSuite } from './redis.ts';
import { storeSuites } from './stores.ts';
import { LOAD_NAMES, type Rounds, runSuite } from './suite.ts';

type RunSuites = (rounds: Rounds) => Promise<void>;

const SUITES: Readonly<Record<string, RunSuites>> = {
  postgres: (rounds) => runSuite(postgresSuite, rounds),
  mysql: (rounds) => runSuite(mysqlSuite, rounds),
  store: async (rounds) => {
    for (const suite of storeSuites) await runSuite(suite, rounds);
  },
  redis: (rounds) => runSuite(redisSuite, rounds),
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      protocol: { type: 'string', default: Object.keys(SUITES).join() },
      load: { type: 'string', default: LOAD_NAMES.join() },
    },
  });
  const loads = values.load.split(',').filter((name) => LOAD_NAMES.some((load) => load === name));
  const protocols = values.protocol.split(',').filter((name) => Object.hasOwn(SUITES, name));
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  if (!(seconds > 0 && rounds > 0 && loads.length > 0 && protocols.length > 0)) {
    throw new Error(
      `--seconds and --rounds take numbers, --load takes ${LOAD_NAMES.join(', ')}, ` +
        `--protocol takes ${Object.keys(SUITES).join(', ')}`,
    );
  }
  console.log(`${cpus().length} cores, Node ${process.version}`);
  for (const protocol of protocols) {
    await SUITES[protocol]?.({ loads, rounds, seconds });
  }
}

await main();
