/**
 * Redis sessions between raw clients and a real server, each decision by a function: what a test of the protocol
 * needs of the gateway, without sockets of its own, recordings and configuration.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type {
  Decision,
  Operation,
  SessionCommand,
  SessionOptions,
  Verifier,
} from '../../protocols/contract.ts';
import { redis } from '../../protocols/redis/index.ts';
import type { FieldMasks, Restrictions, StoreRequest } from '../../protocols/store.ts';
import { startPair } from './pair.ts';
import { RawRedis } from './redis-server.ts';
import type { Teardown } from './servers.ts';
import { sessionOptions, type TranscriptOptions } from './transcript.ts';

export type Judge = (request: StoreRequest, user: string | undefined) => Decision;

export interface LabOptions {
  readonly upstreamPort: number;
  readonly judge?: Judge;
  /** The gateway's own; undefined: the store asks for none. */
  readonly upstreamPassword?: string;
  readonly options?: TranscriptOptions;
}

export interface Lab {
  readonly port: number;
  readonly requests: StoreRequest[];
  readonly commands: SessionCommand[];
  /** Signed in as `ann`. */
  client(version?: 2 | 3): Promise<RawRedis>;
  stranger(): Promise<RawRedis>;
}

export const PASSWORD = 'ann-secret';
/** Tests sign in hundreds of times; how slow a derivation is, is not what they are about. */
const ITERATIONS = 2;

export function verifierOf(password: string): Verifier {
  const salt = Buffer.from('a salt of sixteen');
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const serverKey = createHmac('sha256', salted).update('Server Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  return { iterations: ITERATIONS, salt, storedKey, serverKey };
}

const VERIFIER = verifierOf(PASSWORD);
const INSPECTION = { statements: true, results: true };

export const ALLOW: Decision = { kind: 'allow' };

export function block(reason: string): Decision {
  return { kind: 'block', rule: 'lab', code: '42501', reason };
}

export function allowing(
  masks: FieldMasks | undefined,
  restrictions?: Partial<Restrictions>,
): Decision {
  const whole = restrictions && {
    filter: [],
    limitMax: undefined,
    hidesVectors: false,
    ...restrictions,
  };
  return { kind: 'allow', store: { masks, restrictions: whole, login: undefined } };
}

/** Masks by name: `***` in place of text; and a detector of addresses. */
export function masksOf(names: readonly string[], detects = false): FieldMasks {
  const fits = (path: readonly string[]): boolean =>
    names.some((name) => name.split('.').every((part, index) => path[index] === part));
  return {
    maskOf: (path) => (fits(path) ? () => '***' : undefined),
    mayMaskBelow: (path) =>
      names.some((name) => {
        const parts = name.split('.');
        return path.every((part, index) => parts[index] === undefined || parts[index] === part);
      }),
    detect: detects ? (text) => text.replaceAll(/[\w.]+@[\w-]+(?:\.\w+)+/g, '[email]') : undefined,
  };
}

export async function startLab(t: Teardown, lab: LabOptions): Promise<Lab> {
  const requests: StoreRequest[] = [];
  const commands: SessionCommand[] = [];
  const options = (): SessionOptions => sessionOptions({ auth: 'gateway', ...lab.options });
  const decide = (operation: Operation): Decision => {
    if (operation.kind === 'sign-in') return prove(operation.user, lab);
    if (operation.kind !== 'request') throw new Error(`${operation.kind} in Redis`);
    requests.push(operation.request);
    return lab.judge?.(operation.request, operation.user) ?? ALLOW;
  };
  const pair = await startPair({
    protocol: redis,
    upstreamPort: lab.upstreamPort,
    sessionOptions: options,
    decide,
    onCommand: (command) => commands.push(command),
  });
  t.teardown(async () => {
    await pair.close();
    if (pair.errors.length > 0) throw new AggregateError(pair.errors, 'the session failed');
  });
  const stranger = async (): Promise<RawRedis> => {
    const client = await RawRedis.connect(pair.port);
    t.teardown(async () => client.close());
    return client;
  };
  return {
    port: pair.port,
    requests,
    commands,
    stranger,
    client: async (version = 2) => {
      const client = await stranger();
      await client.ask('HELLO', String(version), 'AUTH', 'ann', PASSWORD);
      return client;
    },
  };
}

function prove(user: string, lab: LabOptions): Decision {
  if (lab.options?.auth === 'passthrough') return { kind: 'allow', inspection: INSPECTION };
  const login = { user: '', password: lab.upstreamPassword, database: undefined };
  const isKnown = user === 'ann' || user === 'bob';
  return { kind: 'prove', verifier: VERIFIER, isKnown, login, inspection: INSPECTION };
}
