/** Appends in strict mode and tells after each that it returned, until somebody kills it. */

import { writeSync } from 'node:fs';
import { createRecorder } from '../../../lib/recording/recorder.ts';
import { HEADER } from './session-fixture.ts';

/** The parent kills long before; a bound all the same, should it have died. */
const APPENDS_MAX = 500_000;

const session = createRecorder({ dataDir: process.argv[2] ?? '', durability: 'strict' }).start(
  HEADER,
);
for (let count = 1; count <= APPENDS_MAX; count += 1) {
  session.append('client', Buffer.from(`statement ${count}`));
  tell(`${count}\n`);
}

/** A full pipe makes the write fail at once; whoever reads it will make room, or kill this process. */
function tell(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EAGAIN') throw error;
    }
  }
}
