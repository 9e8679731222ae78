/**
 * Takes secrets out of what is recorded: passwords of AUTH, HELLO, ACL SETUSER, CONFIG SET and MIGRATE, and the
 * answers that hold one (GW-16). What goes to the server and the client stays as it is.
 */

import { encodeRequest, type RespRequest } from '../wire/resp-request.ts';
import { type Edit, encodeBulk, type RespNode, spliceReply } from '../wire/resp-value.ts';
import { itemsOf } from './answers.ts';
import { lower } from './command-table.ts';

const BLANK = Buffer.from('***');
/** Settings of CONFIG SET whose value is a credential. */
const SECRET_SETTINGS = /pass|auth|secret|key-file-pass|tls-.*-pass|user/;

/** The request as the recording keeps it. */
export function shownRequest(request: RespRequest): Buffer {
  const name = lower(request.argument(0));
  if (!/^(?:auth|hello|acl|config|migrate|sentinel)$/.test(name)) return request.bytes;
  const args = request.arguments();
  const places = secretPlaces(name, args);
  if (places.length === 0) return request.bytes;
  return encodeRequest(args.map((bytes, index) => (places.includes(index) ? BLANK : bytes)));
}

function secretPlaces(name: string, args: readonly Buffer[]): readonly number[] {
  const words = args.map(lower);
  const all = [...args.keys()];
  switch (name) {
    case 'auth':
      // AUTH password, or AUTH user password; a wrong number of arguments may hold one anywhere.
      return args.length === 3 ? [2] : all.slice(1);
    case 'hello':
      // Without a user the password stands where the user should.
      return all.filter(
        (index) =>
          index > 1 &&
          (words[index - 2] === 'auth' ||
            (words[index - 1] === 'auth' && index === args.length - 1)),
      );
    case 'acl':
      return words[1] === 'setuser'
        ? all.filter((index) => index > 2 && isPassword(args[index]))
        : [];
    case 'config':
      return words[1] === 'set'
        ? all.filter(
            (index) => index > 2 && index % 2 === 1 && SECRET_SETTINGS.test(words[index - 1] ?? ''),
          )
        : [];
    case 'sentinel':
      // It is refused, and SENTINEL SET may have come with the password of a server.
      return all.slice(3);
    default:
      // MIGRATE ... AUTH password, AUTH2 user password.
      return all.filter((index) => words[index - 1] === 'auth' || words[index - 2] === 'auth2');
  }
}

/** `>password`, `<password`, `#hash`, `!hash`. */
function isPassword(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && '><#!'.includes(String.fromCharCode(bytes[0] ?? 0x20));
}

/** An answer with all of its strings blank. */
export function shownAnswer(bytes: Buffer, node: RespNode): Buffer {
  const edits: Edit[] = [];
  const blank = (one: RespNode): void => {
    if (one.kind === 'text')
      edits.push({ start: one.start, end: one.end, bytes: encodeBulk(BLANK) });
    else for (const item of itemsOf(one)) blank(item);
  };
  blank(node);
  return spliceReply(bytes, edits);
}
