/**
 * AUTH, HELLO with AUTH, and the user of a client that sends neither: who signs in is decided, proved to the
 * gateway or left to the server, and only then does anything go to the store. A session may sign in again; one
 * that fails goes on as whoever it was before, as in Redis.
 */

import type { Decision, Inspection, SessionOptions, UpstreamLogin } from '../contract.ts';
import type { RespRequest } from '../wire/resp-request.ts';
import type { RespNode } from '../wire/resp-value.ts';
import { isPassword } from './client-proof.ts';
import type { SignInRequest } from './hello.ts';
import type { Outbox } from './outbox.ts';
import { encodeRefusal, refusalOf, WRONG_PASSWORD } from './refusal.ts';
import type { RelayState } from './relay-state.ts';
import type { Upstream } from './upstream.ts';

/** Wrong passwords on one connection; Redis has no limit, but each costs a derivation here. */
const FAILURES_MAX = 10;
const DEFAULT_USER = 'default';

export interface Identity {
  readonly user: string;
  readonly inspection: Inspection;
}

interface Attempt {
  readonly decisionId: number;
  readonly user: string;
  /** Undefined: nobody signs in, a command came first (passthrough). */
  readonly asked: { readonly request: SignInRequest; readonly original: RespRequest } | undefined;
}

export class SignIn {
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #state: RelayState;
  readonly #upstream: Upstream;
  readonly #onEnd: () => void;
  #attempt: Attempt | undefined;
  isDeciding = false;
  #failureCount = 0;
  identity: Identity | undefined;

  /** `onEnd`: the client may be read on, signed in or not. */
  constructor(
    parts: { out: Outbox; options: SessionOptions; state: RelayState; upstream: Upstream },
    onEnd: () => void,
  ) {
    this.#out = parts.out;
    this.#options = parts.options;
    this.#state = parts.state;
    this.#upstream = parts.upstream;
    this.#onEnd = onEnd;
  }

  start(request: SignInRequest, original: RespRequest, isSecure: boolean): void {
    const user = request.credential?.user ?? DEFAULT_USER;
    this.#decide(user, { request, original }, isSecure);
  }

  /** A client without AUTH is the server's default user (passthrough). */
  startDefault(isSecure: boolean): void {
    this.#decide(DEFAULT_USER, undefined, isSecure);
  }

  #decide(user: string, asked: Attempt['asked'], isSecure: boolean): void {
    const decisionId = this.#out.nextId();
    this.#attempt = { decisionId, user, asked };
    this.isDeciding = true;
    this.#out.decide(
      {
        kind: 'sign-in',
        id: decisionId,
        user,
        database: '0',
        isSecure,
        isReplication: false,
        settings: [],
      },
      'client',
    );
  }

  onDecided(id: number, decision: Decision): void {
    const attempt = this.#attempt;
    if (attempt?.decisionId !== id) throw new Error(`decision ${id} answers no held operation`);
    this.isDeciding = false;
    if (decision.kind === 'block') {
      this.#out.refuse(refusalOf(decision));
      return;
    }
    const inspection = decision.inspection ?? { statements: true, results: true };
    const identity: Identity = { user: attempt.user, inspection };
    if (decision.kind === 'prove') {
      this.#prove(attempt, decision, identity);
    } else if (this.#options.auth === 'passthrough') {
      this.#upstream.open(() => this.#passThrough(attempt, identity));
    } else {
      this.#fail();
    }
  }

  #prove(
    { asked }: Attempt,
    { verifier, isKnown, login }: Extract<Decision, { kind: 'prove' }>,
    identity: Identity,
  ): void {
    const password = asked?.request.credential?.password;
    const isRight =
      password !== undefined && isPassword(password, verifier, this.#options.deriveKey);
    if (asked === undefined || !isRight || !isKnown) {
      this.#fail();
      return;
    }
    this.#upstream.open(() => {
      this.#upstream.signIn(login, asked.request, (reply, bytes) =>
        this.#onUpstream(reply, bytes, { login, identity, asked: asked.request }),
      );
    });
  }

  #onUpstream(
    reply: RespNode | undefined,
    bytes: Buffer,
    { login, identity, asked }: { login: UpstreamLogin; identity: Identity; asked: SignInRequest },
  ): void {
    if (reply === undefined || reply.kind === 'error') {
      this.#onUpstreamError(reply, bytes, asked);
      return;
    }
    const { database } = login;
    if (database === undefined || database === '' || database === '0') {
      this.#succeed(identity, asked, bytes);
      return;
    }
    this.#upstream.ask(['SELECT', database], (selected) => {
      if (selected?.kind === 'text') this.#succeed(identity, asked, bytes);
      else this.#unreachable(`it has no database ${database}`);
    });
  }

  /** Servers before Redis 6 know no HELLO: their clients try AUTH then. */
  #onUpstreamError(reply: RespNode | undefined, bytes: Buffer, { name }: SignInRequest): void {
    const text =
      reply?.kind === 'error' ? reply.bytes.toString('latin1') : 'its answer is too long';
    if (name === 'hello' && /^ERR unknown command/i.test(text)) {
      this.#attempt = undefined;
      this.#out.toClient(bytes);
      this.#onEnd();
      return;
    }
    this.#unreachable(text);
  }

  #unreachable(why: string): void {
    this.#out.refuse({ code: '08006', message: `Weir could not sign in to the database: ${why}` });
  }

  #succeed(identity: Identity, request: SignInRequest, answer: Buffer): void {
    this.#state.version = request.version ?? this.#state.version;
    this.#out.toClient(answer);
    this.#signedIn(identity);
  }

  #signedIn(identity: Identity): void {
    this.identity = identity;
    this.#state.forgetCursors();
    this.#attempt = undefined;
    this.#out.note({ kind: 'signed-in', user: identity.user, database: '0' });
    this.#onEnd();
  }

  /** The server says whether the password is right. */
  #passThrough({ asked }: Attempt, identity: Identity): void {
    if (asked === undefined) {
      this.#signedIn(identity);
      return;
    }
    this.#out.toServer(asked.original.bytes);
    this.#state.pending.push({
      kind: 'own',
      onReply: (reply, bytes) => {
        if (reply === undefined || reply.kind === 'error') {
          this.#out.toClient(bytes);
          this.#attempt = undefined;
          this.#onEnd();
        } else {
          this.#succeed(identity, asked.request, bytes);
        }
      },
    });
  }

  #fail(): void {
    this.#attempt = undefined;
    this.#failureCount += 1;
    if (this.#failureCount >= FAILURES_MAX) {
      this.#out.refuse(WRONG_PASSWORD);
      return;
    }
    this.#out.answer(encodeRefusal(WRONG_PASSWORD));
    this.#onEnd();
  }

  get isUnderWay(): boolean {
    return this.#attempt !== undefined;
  }

  isDecision(id: number): boolean {
    return this.isDeciding && this.#attempt?.decisionId === id;
  }
}
