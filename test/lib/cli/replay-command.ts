/** `bin/replay` as compiled for the tests, for those that need a process of their own. */

import { runReplay } from '../../../lib/cli/replay.ts';

process.exitCode = await runReplay(process.argv.slice(2), process);
