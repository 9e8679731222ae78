/**
 * Judges the requests to one store: who asks, what the names in it mean now, what the rules say, what it is
 * cut down to and what is masked in its answer. At once where all of that is known. One for each connection.
 */

import type { Decision, Operation } from '../../protocols/contract.ts';
import type {
  FieldMasks,
  Restrictions,
  StoreCredential,
  StoreLogin,
  StoreRequest,
} from '../../protocols/store.ts';
import type { StoreNames } from '../catalog/store-names.ts';
import type { Config, ConnectionConfig, MaskConfig, StoreProtocol } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import type { KeyIdentity } from '../identity/api-keys.ts';
import type { Principal } from '../identity/principal.ts';
import { createFieldMasks } from '../masking/field-masks.ts';
import { storeMasksInForce, storeRulesInForce } from '../policy/in-force.ts';
import { describeStoreViolation } from '../policy/reason.ts';
import type { StorePattern } from '../policy/store-patterns.ts';
import { restrictionsOf } from '../policy/store-restrictions.ts';
import {
  evaluateStoreRules,
  mayShow,
  objectText,
  type ResolvedAccess,
  readStorePatterns,
  readStoreRules,
  type StoreRule,
} from '../policy/store-rules.ts';
import { messageOf } from './blocks.ts';
import type { Decided } from './driver-parts.ts';
import type { RowQuotas } from './row-quotas.ts';
import { resolveAccesses } from './store-accesses.ts';
import { whyMasked, whyUncut } from './store-refusals.ts';

type RequestOperation = Extract<Operation, { kind: 'request' }>;

export type StoreConnection = ConnectionConfig & { readonly protocol: StoreProtocol };

export interface StoreDeciderParts {
  readonly config: Config;
  readonly connection: StoreConnection;
  readonly names: StoreNames;
  readonly identity: KeyIdentity;
  /** Undefined with auth = "passthrough". */
  readonly login: StoreLogin | undefined;
  readonly hashKey: Buffer | undefined;
  readonly quotas: RowQuotas;
}

/** With auth = "passthrough", where the store knows who it is and Weir does not. */
const KEY_PRINCIPAL = 'key';
const ANONYMOUS_PRINCIPAL = 'anonymous';

/** Principals whose rules are kept read; with more at once the oldest are read again. */
const POLICIES_MAX = 256;
/** Sets of masks in force on some objects, for each principal. */
const MASK_SETS_MAX = 64;
/** In one note of the recording; a command may name thousands of keys of any length. */
const NOTED_OBJECTS_MAX = 500;
const NOTED_LENGTH_MAX = 200;

/** Fail closed: such a server would overwrite the records of others and say that all went well. */
const CONDITIONS_LOST = {
  code: '42501',
  reason:
    'the store is too old to keep a write to the records that the filter of the rule names, or does not tell its version (Qdrant 1.16 and later do)',
} as const;

interface MaskInForce {
  readonly config: MaskConfig;
  /** Undefined: everything. */
  readonly patterns: readonly StorePattern[] | undefined;
}

/** What is in force for one principal. */
interface StorePolicy {
  readonly rules: readonly StoreRule[];
  readonly masks: readonly MaskInForce[];
  readonly fieldMasks: Map<string, FieldMasks | undefined>;
}

/** Everything that a decision is made of, for `weir explain` too. */
export interface StoreJudgement {
  readonly accesses: readonly ResolvedAccess[];
  /** Of the first rule that decided. */
  readonly rule: string | undefined;
  /** Undefined: it is allowed. */
  readonly refusal: { readonly code: string; readonly reason: string } | undefined;
  readonly restrictions: Restrictions | undefined;
  readonly masks: readonly MaskConfig[];
}

export class StoreDecider {
  readonly #parts: StoreDeciderParts;
  readonly #policies = new Map<string, StorePolicy>();

  constructor(parts: StoreDeciderParts) {
    this.#parts = parts;
  }

  /** `signedIn`: who signed in to the session that asks (Redis). Never rejects. */
  decide(
    operation: RequestOperation,
    signedIn: Principal | undefined,
    onPrincipal: (principal: Principal) => void,
  ): Decided | Promise<Decided> {
    const { connection } = this.#parts;
    if (connection.tls?.mode === 'require' && !operation.isSecure) {
      return unauthenticated(operation.request, 'this connection takes requests over TLS only');
    }
    const principal = operation.isSignedIn === true ? signedIn : this.#identify(operation);
    if (!(principal instanceof Promise)) {
      return this.#decideFor(principal, operation, onPrincipal);
    }
    return principal.then(
      (known) => this.#decideFor(known, operation, onPrincipal),
      (error: unknown) => unjudged(operation.request, messageOf(error)),
    );
  }

  /** For `SessionOptions.knows`: with passthrough the store alone knows, so nobody is a stranger here. */
  knows(credential: StoreCredential): boolean {
    const { connection, identity } = this.#parts;
    return connection.auth === 'passthrough' || identity.isKnown(credential);
  }

  /** Aliases, collections or ids may be others from now on. */
  onNamesChanged(): void {
    this.#parts.names.invalidate();
  }

  #identify({
    credential,
  }: RequestOperation): Principal | undefined | Promise<Principal | undefined> {
    const { connection, identity } = this.#parts;
    if (connection.auth === 'passthrough') return this.#passedThrough(credential);
    return credential && identity.identify(credential);
  }

  /** A key that is in the configuration names its user; every other name is what the caller says. */
  #passedThrough(credential: StoreCredential | undefined): Principal {
    if (credential === undefined) return { name: ANONYMOUS_PRINCIPAL, groups: [] };
    const owner = this.#parts.identity.findKey(credential.secret);
    if (owner !== undefined) return owner;
    const name = credential.user ?? KEY_PRINCIPAL;
    const groups = this.#parts.config.users.find((user) => user.name === name)?.groups ?? [];
    return { name, groups };
  }

  #decideFor(
    principal: Principal | undefined,
    { request }: RequestOperation,
    onPrincipal: (principal: Principal) => void,
  ): Decided | Promise<Decided> {
    if (principal === undefined) {
      return unauthenticated(request, 'no such key, or user and password, is known here');
    }
    onPrincipal(principal);
    const decide = (judged: StoreJudgement): Decided => this.#decided(judged, request, principal);
    const fail = (error: unknown): Decided => unjudged(request, messageOf(error), principal);
    try {
      const judgement = this.judge(request, principal);
      return judgement instanceof Promise ? judgement.then(decide, fail) : decide(judgement);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return fail(error);
    }
  }

  /** Counts for quotas unless `isTrial`. Rejects where names cannot be looked up. */
  judge(
    request: StoreRequest,
    principal: Principal,
    isTrial = false,
  ): StoreJudgement | Promise<StoreJudgement> {
    const decide = (resolved: readonly ResolvedAccess[]) =>
      this.#checkServer(this.#judge(request, principal, resolved, isTrial), request);
    const accesses = this.#resolve(request, principal);
    return accesses instanceof Promise ? accesses.then(decide) : decide(accesses);
  }

  /** Writes under a filter need a server that does not leave their condition out. */
  #checkServer(
    judged: StoreJudgement,
    { needsConditionalWrites }: StoreRequest,
  ): StoreJudgement | Promise<StoreJudgement> {
    const isFiltered = (judged.restrictions?.filter.length ?? 0) > 0;
    if (needsConditionalWrites !== true || !isFiltered) return judged;
    const answer = this.#parts.names.keepsConditions?.() ?? false;
    const decide = (isKept: boolean): StoreJudgement =>
      isKept ? judged : { ...judged, restrictions: undefined, refusal: CONDITIONS_LOST };
    return answer instanceof Promise ? answer.then(decide) : decide(answer);
  }

  /** Where nothing is in force, a name that cannot be looked up is noted as it was written. */
  #resolve(
    { accesses, isQueued }: StoreRequest,
    principal: Principal,
  ): readonly ResolvedAccess[] | Promise<readonly ResolvedAccess[]> {
    const resolved = resolveAccesses(accesses, this.#parts.names);
    // Of a caller's own credential nobody knows what it shows; and what is queued may be there by then.
    const isTold = this.#parts.connection.auth === 'gateway' && isQueued !== true;
    const mark = (known: readonly ResolvedAccess[]): readonly ResolvedAccess[] =>
      isTold ? known.map(markAbsent) : known;
    if (!(resolved instanceof Promise)) return mark(resolved);
    const { rules, masks } = this.#policyOf(principal);
    return resolved.then(mark, (error: unknown) => {
      if (rules.length > 0 || masks.length > 0) throw error;
      return accesses.map((access) => ({ ...access, meanings: [] }));
    });
  }

  #judge(
    request: StoreRequest,
    principal: Principal,
    accesses: readonly ResolvedAccess[],
    isTrial: boolean,
  ): StoreJudgement {
    const { protocol } = this.#parts.connection;
    const policy = this.#policyOf(principal);
    const masks = masksOf(policy, accesses);
    const base = { accesses, masks, rule: undefined, refusal: undefined, restrictions: undefined };
    const refuse = (rule: string, reason: string, code = '42501'): StoreJudgement => ({
      ...base,
      rule,
      refusal: { code, reason },
    });
    const verdict = evaluateStoreRules(policy.rules, accesses);
    if (verdict.kind === 'block') {
      const { violation } = verdict;
      return refuse(violation.rule, describeStoreViolation(violation, protocol));
    }
    const objection = whyMasked(masks, request) ?? whyUncut(verdict.accesses, request, protocol);
    if (objection !== undefined) return refuse(objection.by, objection.reason);
    const granted = restrictionsOf(verdict.accesses, principal);
    if (granted.kind === 'refused') return refuse(granted.rule, granted.reason);
    const rule = verdict.accesses.find((one) => one.rule !== undefined)?.rule?.name;
    const { restrictions, quotas } = granted;
    if (quotas.length === 0) return { ...base, rule, restrictions };
    const asked = smaller(request.limit, restrictions?.limitMax);
    const grant = isTrial
      ? { kind: 'granted' as const, limit: this.#trialLimit(principal, quotas, asked) }
      : this.#parts.quotas.take(principal.name, quotas, asked);
    // 53400: configuration_limit_exceeded, so that it is told as "too many".
    if (grant.kind === 'spent') return refuse(grant.rule, grant.reason, '53400');
    const { filter = [], hidesVectors = false } = restrictions ?? {};
    return { ...base, rule, restrictions: { filter, limitMax: grant.limit, hidesVectors } };
  }

  #trialLimit(
    { name }: Principal,
    quotas: Parameters<RowQuotas['take']>[1],
    asked: number | undefined,
  ): number | undefined {
    return quotas.reduce<number | undefined>(
      (limit, quota) => smaller(limit, Math.max(0, this.#parts.quotas.left(name, quota))),
      asked,
    );
  }

  #decided(judged: StoreJudgement, request: StoreRequest, principal: Principal): Decided {
    const { accesses, rule, refusal, restrictions, masks } = judged;
    const { connection, login } = this.#parts;
    const note = {
      kind: 'decision',
      operation: 'request',
      principal: principal.name,
      route: request.route,
      objects: notedObjects(accesses, connection.protocol),
      ...(rule === undefined ? {} : { rule }),
    } as const;
    if (refusal !== undefined) {
      const { code, reason } = refusal;
      const decision: Decision = { kind: 'block', rule, code, reason };
      return { decision, note: { ...note, outcome: 'block', reason } };
    }
    const fieldMasks = this.#fieldMasksOf(principal, masks);
    const decision: Decision = { kind: 'allow', store: { restrictions, masks: fieldMasks, login } };
    const masked = [
      ...new Set(masks.flatMap(({ fields = [], detect = [] }) => [...fields, ...detect])),
    ];
    const named = masked.length === 0 ? {} : { masked };
    return { decision, note: { ...note, outcome: 'allow', ...named } };
  }

  /** Masks and what they found out about paths are shared by the requests on the same objects. */
  #fieldMasksOf(principal: Principal, masks: readonly MaskConfig[]): FieldMasks | undefined {
    if (masks.length === 0) return undefined;
    const { fieldMasks } = this.#policyOf(principal);
    const key = JSON.stringify(masks.map(({ name }) => name));
    if (!fieldMasks.has(key)) {
      if (fieldMasks.size >= MASK_SETS_MAX) fieldMasks.clear();
      fieldMasks.set(key, createFieldMasks(masks, { hashKey: this.#parts.hashKey }));
    }
    return fieldMasks.get(key);
  }

  #policyOf(principal: Principal): StorePolicy {
    const key = JSON.stringify([principal.name, principal.groups]);
    const known = this.#policies.get(key);
    if (known !== undefined) return known;
    const { config, connection } = this.#parts;
    const { protocol } = connection;
    const policy: StorePolicy = {
      rules: readStoreRules(storeRulesInForce(config.rules, connection, principal), protocol),
      masks: storeMasksInForce(config.masks, connection.name, principal).map((mask) => ({
        config: mask,
        patterns: mask.objects && readStorePatterns(mask.objects, protocol),
      })),
      fieldMasks: new Map(),
    };
    if (this.#policies.size >= POLICIES_MAX) {
      const [oldest] = this.#policies.keys();
      if (oldest !== undefined) this.#policies.delete(oldest);
    }
    this.#policies.set(key, policy);
    return policy;
  }
}

/** Those that may speak of something in the request: doubt masks. */
function masksOf(
  { masks }: StorePolicy,
  accesses: readonly ResolvedAccess[],
): readonly MaskConfig[] {
  return masks
    .filter(
      ({ patterns }) =>
        patterns === undefined || accesses.some((access) => mayShow(patterns, access)),
    )
    .map(({ config }) => config);
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function notedObjects(
  accesses: readonly ResolvedAccess[],
  protocol: StoreProtocol,
): readonly string[] {
  const objects = new Set<string>();
  for (const { target, meanings } of accesses) {
    const names = meanings.length > 0 || target === undefined ? meanings : [target];
    for (const name of names) {
      const text = objectText(protocol, name);
      objects.add(text.length > NOTED_LENGTH_MAX ? `${text.slice(0, NOTED_LENGTH_MAX)}...` : text);
    }
    if (objects.size > NOTED_OBJECTS_MAX) return [...objects].slice(0, NOTED_OBJECTS_MAX);
  }
  return [...objects];
}

function unauthenticated({ route }: StoreRequest, reason: string): Decided {
  return {
    decision: { kind: 'block', rule: undefined, code: '28P01', reason },
    note: { kind: 'decision', operation: 'request', outcome: 'block', route, reason },
  };
}

/** The store does not say what its names mean, so nobody can say what the rules do. */
function unjudged({ route }: StoreRequest, why: string, principal?: Principal): Decided {
  const reason = `Weir cannot judge this request: ${why}`;
  const who = principal === undefined ? {} : { principal: principal.name };
  return {
    decision: { kind: 'block', rule: undefined, code: '58030', reason },
    note: { kind: 'decision', operation: 'request', outcome: 'block', route, reason, ...who },
  };
}

function markAbsent(access: ResolvedAccess): ResolvedAccess {
  return access.target !== undefined && access.meanings.length === 0
    ? { ...access, isAbsent: true }
    : access;
}
