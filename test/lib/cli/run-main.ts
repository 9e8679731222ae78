/** Runs `weir` inside a test and keeps what it prints. */
import { PassThrough } from 'node:stream';
import { main } from '../../../lib/cli/main.ts';

export interface MainRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runMain(argv: readonly string[], input = ''): Promise<MainRun> {
  const stdout = new PassThrough();
  const printed: Buffer[] = [];
  stdout.on('data', (bytes: Buffer) => printed.push(bytes));
  let stderr = '';
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream & PassThrough;
  stdin.end(input);
  const write = (text: string) => {
    stderr += text;
  };
  const code = await main(argv, { stdout, stderr: { write }, stdin });
  return { code, stdout: Buffer.concat(printed).toString(), stderr };
}
