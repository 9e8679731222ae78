/** `npm start`: from a fresh clone to a running demo. Arguments go to `weir demo`. */
import { setUp } from './setup.mjs';

setUp();
const { main } = await import('../build/lib/cli/main.js');
process.exitCode = await main(['demo', ...process.argv.slice(2)], process);
