/**
 * The client's commands, one after the other: each is read, decided, and goes on, is cut down or refused in its
 * place. Answers come in the order of commands, so a refusal waits for the answers before it.
 */

import type { Decision, Operation } from '../contract.ts';
import { encodeRequest, type RespRequest } from '../wire/resp-request.ts';
import {
  type CommandSpec,
  findCommand,
  lower,
  nameText,
  UnreadableCommand,
} from './command-table.ts';
import { readSignIn } from './hello.ts';
import type { Outbox } from './outbox.ts';
import { type Applied, needsSchema, type ReadCommand, readCommand } from './read-command.ts';
import { encodeRefusal, forbidden, POISON, POISON_WORDS, refusalOf } from './refusal.ts';
import { isSubscription, type RelayState } from './relay-state.ts';
import { readSchema } from './schema.ts';
import type { Identity } from './sign-in.ts';
import type { Upstream } from './upstream.ts';

const EMPTY = Buffer.alloc(0);
const NOTHING: Applied = {};
/** Indexes whose make-up is remembered, for at most SCHEMA_AGE_MAX milliseconds. */
const SCHEMAS_MAX = 200;
export const SCHEMA_ALARM = 'schemas';
const SCHEMA_AGE_MAX = 5000;
/**
 * A command that goes by an index is judged when it is queued and carried out at EXEC, which may be hours later; by
 * then the name may stand for another index. So a transaction with one lives no longer than what is known of names.
 */
export const QUEUE_ALARM = 'queue';
const QUEUE_AGE_MAX = 5000;

interface Held {
  readonly id: number;
  readonly request: RespRequest;
  readonly args: readonly Buffer[];
  readonly command: ReadCommand;
}

export interface ClientRelayParts {
  readonly out: Outbox;
  readonly state: RelayState;
  readonly upstream: Upstream;
  readonly isSecure: () => boolean;
  readonly identity: () => Identity | undefined;
}

export class ClientRelay {
  readonly #parts: ClientRelayParts;
  readonly #out: Outbox;
  readonly #state: RelayState;
  #held: Held | undefined;
  /** A question of Weir's own about what the next command needs. */
  #isAsking = false;

  constructor(parts: ClientRelayParts) {
    this.#parts = parts;
    this.#out = parts.out;
    this.#state = parts.state;
  }

  /** The next command has to wait. */
  get isHolding(): boolean {
    return this.#held !== undefined || this.#isAsking || this.#state.isChangingSchema;
  }

  get isDeciding(): boolean {
    return this.#held !== undefined;
  }

  /** A command of one who is signed in, other than AUTH and HELLO with AUTH. */
  take(request: RespRequest): void {
    const args = request.arguments();
    const spec = findCommand(args[0] ?? EMPTY, args[1] ?? EMPTY);
    const refusal = spec === undefined ? unknownCommand(args) : this.#whyNever(spec, args);
    if (spec === undefined || refusal !== undefined) {
      this.refuse(encodeRefusal(forbidden(refusal ?? '')));
      return;
    }
    const index = nameText(args[1] ?? EMPTY);
    const mustAsk = needsSchema(spec) && !this.#state.schemas.has(index) && !this.#state.isInMulti;
    if (mustAsk) this.#askSchema(index, args[1] ?? EMPTY, () => this.#read(spec, request, args));
    else this.#read(spec, request, args);
  }

  /** What cannot be followed, whatever the rules say. */
  #whyNever(spec: CommandSpec, args: readonly Buffer[]): string | undefined {
    const { name, marks } = spec;
    if (marks.has('never'))
      return `${name.toUpperCase()} makes a stream of the connection that Weir cannot follow`;
    if (marks.has('reply') && lower(args[2] ?? EMPTY) !== 'on') {
      return 'CLIENT REPLY OFF and SKIP are not supported through Weir: answers could not be told apart';
    }
    if (!this.#state.isInMulti) return undefined;
    // What an index stands for must be known before the next command is judged.
    const isOut =
      isSubscription(spec) ||
      name === 'hello' ||
      name === 'auth' ||
      marks.has('reply') ||
      marks.has('schema');
    return isOut
      ? `${name.toUpperCase()} is not supported between MULTI and EXEC through Weir`
      : undefined;
  }

  /** The server fails the whole of it at EXEC. */
  spoilTransaction(): void {
    const { state, upstream } = this.#parts;
    if (state.isInMulti) upstream.ask(POISON_WORDS, () => undefined);
  }

  #followMulti(isIn: boolean): void {
    const state = this.#state;
    state.isInMulti = isIn;
    if (!state.hasQueuedIndex) return;
    state.hasQueuedIndex = false;
    this.#out.push({ kind: 'wake', alarm: QUEUE_ALARM, after: undefined });
  }

  #watchQueue({ request }: ReadCommand): void {
    const state = this.#state;
    const goesByIndex = request.accesses.some(({ target }) => target?.kind === 'index');
    if (!state.isInMulti || state.hasQueuedIndex || !goesByIndex) return;
    state.hasQueuedIndex = true;
    this.#out.push({ kind: 'wake', alarm: QUEUE_ALARM, after: QUEUE_AGE_MAX });
  }

  #askSchema(index: string, written: Buffer, then: () => void): void {
    this.#isAsking = true;
    this.#parts.upstream.ask(['FT.INFO', written], (reply) => {
      this.#isAsking = false;
      const { schemas } = this.#state;
      if (schemas.size >= SCHEMAS_MAX) schemas.clear();
      if (schemas.size === 0) {
        this.#out.push({ kind: 'wake', alarm: SCHEMA_ALARM, after: SCHEMA_AGE_MAX });
      }
      schemas.set(index, reply === undefined ? undefined : readSchema(reply));
      then();
    });
  }

  #read(spec: CommandSpec, request: RespRequest, args: readonly Buffer[]): void {
    const surroundings = {
      schema: this.#state.schemas.get(nameText(args[1] ?? EMPTY)),
      cursor: this.#state.cursor(nameText(args[3] ?? EMPTY)),
    };
    try {
      const command = readCommand(spec, args, surroundings);
      this.#decide(command, request, args);
    } catch (error) {
      if (!(error instanceof UnreadableCommand)) throw error;
      const message = `Weir cannot read this ${spec.name.toUpperCase()}: ${error.message}`;
      this.refuse(encodeRefusal(forbidden(message)));
    }
  }

  #decide(command: ReadCommand, request: RespRequest, args: readonly Buffer[]): void {
    const identity = this.#parts.identity();
    if (identity === undefined) throw new Error('a command came before the sign-in');
    if (command.request.accesses.length === 0 || !identity.inspection.statements) {
      this.#forward(command.spec, request, args, NOTHING);
      return;
    }
    const id = this.#out.nextId();
    this.#held = { id, request, args, command };
    const operation: Operation = {
      kind: 'request',
      id,
      request: this.#state.isInMulti ? { ...command.request, isQueued: true } : command.request,
      isSecure: this.#parts.isSecure(),
      isSignedIn: true,
      user: identity.user,
    };
    this.#out.decide(operation, 'client');
  }

  onDecided(id: number, decision: Decision): void {
    const held = this.#held;
    if (held?.id !== id) throw new Error(`decision ${id} answers no held operation`);
    this.#held = undefined;
    if (decision.kind === 'block') {
      this.refuse(encodeRefusal(refusalOf(decision)));
      return;
    }
    const { command, request, args } = held;
    const { restrictions, masks } = (decision.kind === 'allow' ? decision.store : undefined) ?? {};
    const applied = command.apply({ restrictions, masks });
    if (typeof applied === 'string') {
      this.refuse(encodeRefusal(forbidden(`${command.request.route}: ${applied}`)));
    } else {
      this.#watchQueue(command);
      this.#forward(command.spec, request, args, applied);
    }
  }

  #forward(
    spec: CommandSpec,
    request: RespRequest,
    args: readonly Buffer[],
    applied: Applied,
  ): void {
    const state = this.#state;
    if (spec.marks.has('schema')) {
      state.schemas.clear();
      state.isChangingSchema = true;
    }
    if (spec.name === 'multi' && args.length === 1) this.#followMulti(true);
    else if (/^(?:exec|discard)$/.test(spec.name) && args.length === 1) this.#followMulti(false);
    else if (spec.name === 'reset') this.#followMulti(false);
    if (spec.name === 'quit') this.#out.note({ kind: 'goodbye' });
    const hello = spec.name === 'hello' ? readSignIn('hello', args) : undefined;
    state.pending.push({
      kind: 'reply',
      spec,
      applied,
      named: isSubscription(spec) ? args.length - 1 : 0,
      left: undefined,
      version: hello === undefined || Buffer.isBuffer(hello) ? undefined : hello.version,
    });
    this.#out.toServer(applied.args === undefined ? request.bytes : encodeRequest(applied.args));
  }

  /** In its place; a transaction must fail by it as by any command that the server does not take. */
  refuse(bytes: Buffer): void {
    const { pending, isInMulti } = this.#state;
    if (isInMulti) {
      pending.push({ kind: 'poison', bytes });
      this.#out.toServer(POISON);
    } else if (pending.length > 0) {
      pending.push({ kind: 'local', bytes });
    } else {
      this.#out.answer(bytes);
    }
  }
}

function unknownCommand(args: readonly Buffer[]): string {
  const name = nameText((args[0] ?? EMPTY).subarray(0, 64)).replaceAll(/[^ -~]/g, '?');
  const sub = nameText((args[1] ?? EMPTY).subarray(0, 32)).replaceAll(/[^ -~]/g, '?');
  const isContainer = findCommand(args[0] ?? EMPTY, Buffer.from('help')) !== undefined;
  return `Weir does not know the command ${isContainer ? `${name} ${sub}` : name}, so it is refused`;
}
