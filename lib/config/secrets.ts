/**
 * Reads a secret from where the configuration says it is. Nothing here keeps it, and no message
 * holds a byte of it: what was read is described by its size at most.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { GatewayError } from '../errors.ts';
import type { SecretSource } from './config.ts';

/** The longest passwords are cloud tokens of about 2 KiB. */
const SECRET_SIZE_MAX = 16_384;
/** A command that asks a vault over the network; one that waits for a person hangs the start. */
const COMMAND_TIMEOUT = 10_000;
/** Read or write for anybody but the owner. */
const OTHERS_MODE = 0o077;

export interface ReadSecretOptions {
  readonly warn?: (text: string) => void;
  readonly commandTimeout?: number;
}

/** Throws GatewayError SECRET_READ. A command runs to its end before this returns. */
export function readSecret(source: SecretSource, options: ReadSecretOptions = {}): string {
  if ('env' in source) return readVariable(source.env);
  if ('file' in source) return readSecretFile(source.file, options);
  return runCommand(source.command, options);
}

function readVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw failure(`the environment variable ${name} is not set`);
  return checkSecret(Buffer.from(value), `the environment variable ${name}`);
}

function readSecretFile(file: string, { warn = emitWarning }: ReadSecretOptions): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { mode } = fstatSync(descriptor);
    if (process.platform !== 'win32' && (mode & OTHERS_MODE) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      warn(`the secret file ${file} is open to other users (mode ${octal}). Run chmod 600 on it.`);
    }
    // One byte over the limit tells that there is more, of a device without an end, too.
    const buffer = Buffer.alloc(SECRET_SIZE_MAX + 1);
    let size = 0;
    for (let count = -1; count !== 0 && size < buffer.length; size += count) {
      count = readSync(descriptor, buffer, size, buffer.length - size, null);
    }
    return checkSecret(buffer.subarray(0, size), `the secret file ${file}`);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw failure(`cannot read the secret file: ${describe(cause)}`, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function runCommand(command: readonly string[], options: ReadSecretOptions): string {
  const [program = '', ...args] = command;
  const timeout = options.commandTimeout ?? COMMAND_TIMEOUT;
  // Arguments may be secrets themselves, so only the program is named in messages. What it writes
  // to its standard error goes straight to ours: it never passes through a message of Weir.
  const { status, signal, stdout, error } = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout,
    killSignal: 'SIGKILL',
    maxBuffer: SECRET_SIZE_MAX,
    shell: false,
  });
  if (error !== undefined) {
    throw failure(`the command ${program} ${explainSpawnError(error, timeout)}`);
  }
  if (status !== 0) {
    throw failure(`the command ${program} ended with ${signal ?? `exit code ${status}`}`);
  }
  return checkSecret(stdout, `the output of ${program}`);
}

function explainSpawnError(error: NodeJS.ErrnoException, timeout: number): string {
  switch (error.code) {
    case 'ENOENT':
      return 'does not exist. Write its full path';
    case 'EACCES':
      return 'may not be run by this user';
    case 'ETIMEDOUT':
      return `did not end within ${timeout} ms`;
    case 'ENOBUFS':
      return `printed more than ${SECRET_SIZE_MAX} bytes`;
    case undefined:
    default:
      return `could not be run (${error.code ?? 'unknown error'})`;
  }
}

/** One line of text, without the newline that editors and programs put behind it. */
function checkSecret(bytes: Buffer, name: string): string {
  if (bytes.length > SECRET_SIZE_MAX)
    throw failure(`${name} is larger than ${SECRET_SIZE_MAX} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Without `cause`: the decoder's error might quote what it read.
    throw failure(`${name} is not UTF-8 text`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw failure(`${name} is empty`);
  if (/[\0\r\n]/.test(secret)) throw failure(`${name} has more than one line`);
  return secret;
}

function failure(text: string, cause?: unknown): GatewayError {
  return new GatewayError('SECRET_READ', `${text}.`, { cause });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function emitWarning(text: string): void {
  process.emitWarning(text, { code: 'WEIR_SECRET_MODE' });
}
