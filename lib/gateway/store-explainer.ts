/**
 * The decision on a request to a store without a client: for `weir explain`. Nothing is sent to the store but
 * questions about names; where it does not answer, names are taken as they are written, and that is told.
 */

import type { Protocol } from '../../protocols/contract.ts';
import { findProtocol } from '../../protocols/registry.ts';
import type { StoreCall } from '../../protocols/store.ts';
import type { StoreNames } from '../catalog/store-names.ts';
import type { Config } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { objectText, type ResolvedAccess } from '../policy/store-rules.ts';
import { createSharedParts } from './parts.ts';
import type { StoreConnection, StoreJudgement } from './store-decider.ts';
import { createStoreDecider } from './store-parts.ts';

export interface StoreExplainer {
  /** Throws GatewayError EXPLAIN_TEXT where the text is no request, or one that is always refused. */
  explain(user: string, text: string): Promise<ExplainedRequest>;
  close(): Promise<void>;
}

export interface ExplainedRequest {
  readonly call: StoreCall;
  /** In words: `search qdrant:clients = qdrant:customers`. */
  readonly effects: readonly string[];
  /** Fields that steer, as they are written in masks. */
  readonly goesBy: readonly string[];
  readonly judgement: StoreJudgement;
  /** Why names were not looked up. */
  readonly unread: string | undefined;
}

const SILENT = { info: ignore, warn: ignore, error: ignore };

/** What a name is where nobody can be asked: itself. */
const AS_WRITTEN: StoreNames = {
  resolve: (name) => (name.kind === 'id' ? [] : [name]),
  keepsConditions: () => true,
  invalidate: ignore,
  close: ignore,
};

/** `readCall` is the product's own unless a test brings another one. */
export function createStoreExplainer(
  config: Config,
  connection: StoreConnection,
  readCall: Protocol['readCall'] = findProtocol(connection.protocol)?.readCall,
): StoreExplainer {
  const shared = createSharedParts(config, SILENT);
  const { store } = createStoreDecider(shared, connection);
  const { store: blind } = createStoreDecider(shared, connection, AS_WRITTEN);
  return {
    explain: async (user, text) => {
      const call = readText(connection.protocol, readCall, text);
      const principal: Principal = {
        name: user,
        groups: config.users.find(({ name }) => name === user)?.groups ?? [],
      };
      const tell = (judgement: StoreJudgement, unread: string | undefined): ExplainedRequest => ({
        call,
        effects: judgement.accesses.map((access) => accessText(access, connection.protocol)),
        goesBy: call.steering.map((path) => (path.length === 0 ? 'any field' : path.join('.'))),
        judgement: restrict(call, judgement),
        unread,
      });
      try {
        return tell(await store.judge(call, principal, true), undefined);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return tell(await blind.judge(call, principal, true), error.message);
      }
    },
    close: () => shared.close(),
  };
}

function readText(protocol: string, readCall: Protocol['readCall'], text: string): StoreCall {
  if (readCall === undefined) {
    throw new GatewayError('EXPLAIN_TEXT', `requests to ${protocol} cannot be explained`);
  }
  const call = readCall(text);
  if (typeof call === 'string') throw new GatewayError('EXPLAIN_TEXT', call);
  return call;
}

/** A rule may allow it under conditions that the request cannot be put under: the session refuses it then. */
function restrict(call: StoreCall, judgement: StoreJudgement): StoreJudgement {
  const { restrictions, refusal } = judgement;
  if (refusal !== undefined || restrictions === undefined) return judgement;
  const reason = call.whyNotRestricted?.(restrictions);
  return reason === undefined ? judgement : { ...judgement, refusal: { code: '42501', reason } };
}

function accessText(
  { effect, target, meanings }: ResolvedAccess,
  protocol: StoreConnection['protocol'],
): string {
  if (target === undefined) return `${effect} on the whole store, or it cannot be told on what`;
  const asked = objectText(protocol, target);
  const means = meanings.map((name) => objectText(protocol, name)).filter((one) => one !== asked);
  const kind = target.kind === 'collection' ? '' : ` (${target.kind})`;
  return `${effect} ${asked}${kind}${means.length === 0 ? '' : ` = ${means.join(', ')}`}`;
}

function ignore(): void {
  // What goes wrong is in the explanation itself; there is nobody to log to.
}
