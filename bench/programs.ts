/** Programs of the system that the bench calls: whether they are there, and what they print. */

import { spawn } from 'node:child_process';

/** Servers and proxies are not on everyone's PATH. */
export const PROGRAM_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

export function hasProgram(program: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, ['--version'], { env: { PATH: PROGRAM_PATH }, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
  });
}

/** What it printed; throws what it said when it failed. */
export function runProgram(
  program: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH: PROGRAM_PATH, ...variables } });
    let text = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) =>
      // sysbench tells on its standard output what went wrong.
      code === 0 ? resolve(text) : reject(new Error(`${program}: ${errors || text.slice(-1000)}`)),
    );
  });
}
