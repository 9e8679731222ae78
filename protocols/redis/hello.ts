/** AUTH and HELLO as they are written: who signs in with what, and which protocol version is wanted. */

import { encodeError } from '../wire/resp-value.ts';
import { lower, nameText } from './command-table.ts';

/** Never recorded, never logged. */
export interface GivenCredential {
  readonly user: string;
  readonly password: Buffer;
}

export interface SignInRequest {
  readonly name: 'auth' | 'hello';
  /** Undefined: HELLO without AUTH. */
  readonly credential: GivenCredential | undefined;
  readonly version: 2 | 3 | undefined;
  readonly clientName: Buffer | undefined;
}

const DEFAULT_USER = 'default';
const EMPTY = Buffer.alloc(0);

/** A Buffer: the error that a server answers. */
export function readSignIn(
  name: 'auth' | 'hello',
  args: readonly Buffer[],
): SignInRequest | Buffer {
  return name === 'auth' ? readAuth(args) : readHello(args);
}

function readAuth(args: readonly Buffer[]): SignInRequest | Buffer {
  const [, first = EMPTY, second] = args;
  if (args.length < 2) return encodeError('ERR', "wrong number of arguments for 'auth' command");
  if (args.length > 3) return encodeError('ERR', 'syntax error');
  const credential =
    second === undefined
      ? { user: DEFAULT_USER, password: first }
      : { user: nameText(first), password: second };
  return { name: 'auth', credential, version: undefined, clientName: undefined };
}

function readHello(args: readonly Buffer[]): SignInRequest | Buffer {
  const wanted = args[1]?.toString('latin1');
  if (wanted !== undefined && !/^-?\d{1,9}$/.test(wanted)) {
    return encodeError('ERR', 'Protocol version is not an integer or out of range');
  }
  if (wanted !== undefined && wanted !== '2' && wanted !== '3') {
    return encodeError('NOPROTO', 'unsupported protocol version');
  }
  const options = readHelloOptions(args);
  if (Buffer.isBuffer(options)) return options;
  const version = wanted === '3' ? 3 : wanted === '2' ? 2 : undefined;
  return { name: 'hello', version, ...options };
}

function readHelloOptions(
  args: readonly Buffer[],
): Pick<SignInRequest, 'credential' | 'clientName'> | Buffer {
  let credential: GivenCredential | undefined;
  let clientName: Buffer | undefined;
  for (let index = 2; index < args.length; index += 1) {
    const option = lower(args[index] ?? EMPTY);
    const [first, second] = [args[index + 1], args[index + 2]];
    if (option === 'auth' && first !== undefined && second !== undefined) {
      credential = { user: nameText(first), password: second };
      index += 2;
    } else if (option === 'setname' && first !== undefined) {
      clientName = first;
      index += 1;
    } else {
      return encodeError(
        'ERR',
        `Syntax error in HELLO option '${option.replaceAll(/[^ -~]/g, '?')}'`,
      );
    }
  }
  return { credential, clientName };
}
