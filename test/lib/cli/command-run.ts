/** Runs a command of `bin/` inside the test, and keeps what it prints. */

import { PassThrough } from 'node:stream';
import type { CommandIo } from '../../../lib/cli/output.ts';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Command = (argv: readonly string[], io: CommandIo) => Promise<number>;

export async function runCommand(
  command: Command,
  argv: readonly string[],
  options: { readonly isTTY?: boolean } = {},
): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const stream = Object.assign(new PassThrough(), { isTTY: options.isTTY ?? false });
  stream.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const collect = { write: (text: string) => (stderr += text) };
  const code = await command(argv, { stdout: stream, stderr: collect });
  stream.end();
  return { code, stdout, stderr };
}
