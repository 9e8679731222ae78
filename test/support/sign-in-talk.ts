/** A sign-in without sockets, up to the place where a test begins: what client and gateway say. */

import type { Decision, SessionCommand } from '../../protocols/contract.ts';
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramClient } from '../../protocols/postgres/scram.ts';
import { sentTo } from './play.ts';
import { makeVerifier, PASSWORD } from './postgres-lab.ts';
import { INSPECT_ALL, SessionTalk } from './postgres-session.ts';
import {
  cstring,
  decodeFields,
  int32,
  message,
  MessageReader,
  sslRequest,
  startup,
} from './raw-postgres.ts';
import { sessionOptions, type TranscriptOptions } from './transcript.ts';

export const BINDING = Buffer.alloc(32, 5);
export const { deriveKey } = sessionOptions();

export interface SignInOptions {
  readonly options?: TranscriptOptions;
  readonly isKnown?: boolean;
  readonly hasNoPassword?: boolean;
  readonly version?: number;
  readonly isSecure?: boolean;
}

export function proving({ isKnown = true, hasNoPassword = false }: SignInOptions = {}): Decision {
  const password = hasNoPassword ? undefined : 'upstream';
  const login = { user: 'weir', password, database: undefined };
  return {
    kind: 'prove',
    verifier: makeVerifier(PASSWORD),
    isKnown,
    login,
    inspection: INSPECT_ALL,
  };
}

/** Up to the decision on the sign-in. */
export function started(
  decision: Decision,
  own: SignInOptions = {},
): { talk: SessionTalk; first: SessionCommand[] } {
  const clientTls = own.isSecure === true ? 'allow' : 'off';
  const talk = new SessionTalk({ clientTls, ...own.options }, (operation) =>
    operation.kind === 'sign-in' ? decision : { kind: 'allow' },
  );
  talk.opened('client');
  if (own.isSecure === true) {
    talk.client(sslRequest());
    talk.event({ kind: 'secured', side: 'client', alpn: undefined, channelBinding: BINDING });
  }
  return { talk, first: talk.client(startup({ user: 'ann', database: 'shop' }, own.version)) };
}

export function saslInitial(mechanism: string, first: string): Buffer {
  return message('p', cstring(mechanism), int32(Buffer.byteLength(first)), Buffer.from(first));
}

export const sasl = (...names: readonly string[]): Buffer =>
  message('R', int32(10), ...names.map((name) => cstring(name)), Buffer.of(0));

export function messagesTo(
  side: 'client' | 'server',
  commands: readonly SessionCommand[],
): { type: string; body: Buffer }[] {
  return new MessageReader().push(sentTo(side, commands));
}

export function refusalIn(commands: readonly SessionCommand[]): Record<string, string> {
  const error = messagesTo('client', commands).find(({ type }) => type === 'E');
  return error === undefined ? {} : decodeFields(error.body);
}

/** The client's proof, whole; gives the commands of its last message. */
export function prove(
  talk: SessionTalk,
  password: string,
  { isSecure = false } = {},
): SessionCommand[] {
  const channelBinding = isSecure ? BINDING : undefined;
  const mechanisms = isSecure ? [SCRAM_SHA_256_PLUS, SCRAM_SHA_256] : [SCRAM_SHA_256];
  const client = new ScramClient({ password, mechanisms, channelBinding, nonce: 'abc', deriveKey });
  const answer = messagesTo('client', talk.client(saslInitial(client.mechanism, client.first())));
  const serverFirst = answer[0]?.body.toString('latin1', 4) ?? '';
  return talk.client(message('p', Buffer.from(client.final(serverFirst))));
}
