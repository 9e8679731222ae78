/** Golden files: what was reviewed once must come out again. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What the golden file says; with UPDATE_GOLDEN=1 it is first made to say `actual`. */
export function golden(path: string, actual: string): string {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, actual);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
    : `${path} does not exist: UPDATE_GOLDEN=1 writes it`;
}
