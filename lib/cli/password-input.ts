/** Takes a password from a person at a terminal, without echo, or from a pipe. */
import { GatewayError } from '../errors.ts';
import { UsageError } from './data-dir.ts';

/** As long as PostgreSQL's own tools take, with room to spare. */
const PASSWORD_SIZE_MAX = 4_096;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ERASE: readonly string[] = ['\u0008', '\u007f'];

export interface PasswordIo {
  readonly stdin: NodeJS.ReadStream;
  /** Where the prompt goes; not standard output, which may be on its way into a file. */
  readonly stderr: { write(text: string): unknown };
}

/** Throws UsageError where there is no usable password, GatewayError INTERRUPTED on Ctrl-C. */
export async function askPassword(io: PasswordIo, name: string): Promise<string> {
  if (!io.stdin.isTTY) return readPiped(io.stdin);
  const password = await readHidden(io, `Password for ${name}: `);
  if (password === '') throw new UsageError('the password is empty');
  if ((await readHidden(io, 'Once more: ')) !== password) {
    throw new UsageError('the two passwords differ');
  }
  return password;
}

async function readPiped(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    // Bytes as long as nobody has set an encoding; text otherwise. Buffer.from takes both.
    const piece: Buffer | string = chunk;
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    size += bytes.length;
    if (size > PASSWORD_SIZE_MAX) throw new UsageError('the password is too long');
    chunks.push(bytes);
  }
  const password = decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('no password came on standard input');
  if (/[\r\n\0]/.test(password)) throw new UsageError('the password has more than one line');
  return password;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder's own error is left out: it could quote the password.
    throw new UsageError('the password is not UTF-8');
  }
}

function readHidden({ stdin, stderr }: PasswordIo, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    stderr.write(prompt);
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    const finish = (end: () => void) => {
      stdin.setRawMode(false);
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.pause();
      stderr.write('\n');
      end();
    };
    const onEnd = () => finish(() => reject(new UsageError('the terminal was closed')));
    const onData = (text: string) => {
      const characters = Array.from(text);
      for (const [index, key] of characters.entries()) {
        if (key === '\r' || key === '\n' || key === CTRL_D) {
          // Both passwords pasted at once: what follows belongs to the next question.
          const rest = characters.slice(index + 1).join('');
          finish(() => resolve(typed.join('')));
          if (rest !== '') stdin.unshift(rest);
          return;
        }
        if (key === CTRL_C) {
          finish(() => reject(new GatewayError('INTERRUPTED', 'interrupted.')));
          return;
        }
        if (key === CTRL_U) typed = [];
        else if (ERASE.includes(key)) typed.pop();
        else if (typed.length < PASSWORD_SIZE_MAX) typed.push(key);
      }
    };
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.resume();
  });
}
