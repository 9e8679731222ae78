/** `weir` as a process of its own, for tests of signals and exit codes. Started by serve.test.ts. */
import { main } from '../../../lib/cli/main.ts';

process.exitCode = await main(process.argv.slice(2), process);
