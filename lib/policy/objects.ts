/**
 * Does the object pattern of a rule speak of an object that a statement names? A statement may name
 * a table without its schema, and the gateway does not follow search_path, so the answer errs to the
 * side of the rule's action: a block needs one possible meaning to match, an allow needs all.
 */

import type { RuleConfig } from '../config/config.ts';
import type { Effect, ObjectName } from '../sql/analysis.ts';
import { matchesEverything, matchesPart, type PatternPart, splitPattern } from './glob.ts';

/** A relation whose rows are at stake when another one is used. */
export interface ReachedName {
  readonly schema: string;
  readonly name: string;
  /**
   * `view`: it lies under a view. `hierarchy`: it is a parent, partition or child, and shares rows.
   * `cascade`: its rows go with those that are deleted (ON DELETE CASCADE).
   */
  readonly by: 'view' | 'hierarchy' | 'cascade';
}

/** One thing that a name in a statement may stand for. */
export interface ResolvedName {
  readonly schema: string;
  readonly name: string;
  readonly reaches?: readonly ReachedName[];
}

export type ResolveName = (object: ObjectName) => readonly ResolvedName[];

/** Using a view or table with these acts on the rows of all that it reaches. */
const ROW_EFFECTS: ReadonlySet<Effect> = new Set<Effect>([
  'read',
  'insert',
  'update',
  'delete',
  'truncate',
  'copy-in',
  'copy-out',
  'lock',
]);

/** These reach what shares rows with a table (a dropped partition takes them along), not a view's tables. */
const STORAGE_EFFECTS: ReadonlySet<Effect> = new Set<Effect>(['drop', 'alter']);

/**
 * These always act on rows or objects. Where the object cannot be told (DROP OWNED BY), a block on
 * one table must hold: the statement may be about that table.
 */
const EFFECTS_WITH_OBJECT: ReadonlySet<Effect> = new Set<Effect>([
  'insert',
  'update',
  'delete',
  'truncate',
  'drop',
]);

interface Claim {
  readonly action: RuleConfig['action'];
  readonly effect: Effect;
  readonly object: ObjectName;
  readonly schema: PatternPart;
  readonly name: PatternPart;
}

const ANYTHING: PatternPart = { text: '*', isLiteral: false };

export function matchesObject(
  pattern: string,
  action: RuleConfig['action'],
  pair: { readonly effect: Effect; readonly object: ObjectName | undefined },
  resolve: ResolveName,
): boolean {
  if (pattern === '*') return true;
  const { schema, name } = parseObjectPattern(pattern);
  const { effect, object } = pair;
  if (object === undefined) return action === 'block' && EFFECTS_WITH_OBJECT.has(effect);
  const claim: Claim = { action, effect, object, schema: schema ?? ANYTHING, name };
  switch (object.kind) {
    case 'relation':
    case 'function':
    case 'operator':
    case 'other':
      return matchesNamed(claim, resolve);
    case 'schema':
      return matchesSchema(claim, schema !== undefined);
    case 'database':
      return matchesDatabase(claim, schema !== undefined);
    case 'role':
      return schema === undefined && matchesPart(name, object.name);
  }
}

interface ObjectPattern {
  readonly schema: PatternPart | undefined;
  readonly name: PatternPart;
}

function parseObjectPattern(pattern: string): ObjectPattern {
  const [first, second, ...more] = splitPattern(pattern) ?? [];
  if (first === undefined || more.length > 0) {
    // The configuration is checked before it gets here.
    throw new Error(`not an object pattern: ${pattern}`);
  }
  return second === undefined
    ? { schema: undefined, name: first }
    : { schema: first, name: second };
}

function matchesNamed(claim: Claim, resolve: ResolveName): boolean {
  const candidates = candidatesOf(claim.object, resolve);
  if (claim.action === 'allow') {
    return candidates.length > 0 && candidates.every((candidate) => matchesPair(claim, candidate));
  }
  // A name that nothing is known of may be a table made a moment ago: only its own part can be judged.
  if (candidates.length === 0) return matchesPart(claim.name, claim.object.name);
  return candidates.some(
    (candidate) =>
      matchesPair(claim, candidate) ||
      (candidate.reaches ?? []).some(
        (reached) => isReached(claim.effect, reached) && matchesPair(claim, reached),
      ),
  );
}

/** A name with its schema means itself, whether or not the catalog knows it yet. */
function candidatesOf(object: ObjectName, resolve: ResolveName): readonly ResolvedName[] {
  const { schema, name } = object;
  const resolved = resolve(object);
  if (schema === undefined) return resolved;
  const inSchema = resolved.filter((candidate) => candidate.schema === schema);
  const own = inSchema.filter((candidate) => candidate.name === name);
  // The catalog may know what it means by a name that the server takes for the same.
  const others = own.length > 0 ? own : inSchema;
  return others.length > 0 ? others : [{ schema, name }];
}

function matchesPair(
  claim: Claim,
  name: { readonly schema: string; readonly name: string },
): boolean {
  return matchesPart(claim.schema, name.schema) && matchesPart(claim.name, name.name);
}

function isReached(effect: Effect, reached: ReachedName): boolean {
  if (reached.by === 'cascade') return effect === 'delete';
  if (ROW_EFFECTS.has(effect)) return true;
  return reached.by === 'hierarchy' && STORAGE_EFFECTS.has(effect);
}

/**
 * A schema holds tables that the statement does not name (DROP SCHEMA ... CASCADE, GRANT ... ON ALL
 * TABLES IN SCHEMA): a block on one of them holds. Making a schema touches no table.
 */
function matchesSchema(claim: Claim, hasSchemaPart: boolean): boolean {
  const { action, effect, object } = claim;
  if (!hasSchemaPart) {
    if (matchesPart(claim.name, object.name)) return true;
    return action === 'block' && effect !== 'create';
  }
  if (!matchesPart(claim.schema, object.name)) return false;
  return matchesEverything(claim.name) || (action === 'block' && effect !== 'create');
}

/** A database holds everything; nothing but its own name or `*.*` allows something on it. */
function matchesDatabase(claim: Claim, hasSchemaPart: boolean): boolean {
  if (!hasSchemaPart && matchesPart(claim.name, claim.object.name)) return true;
  if (claim.action === 'block') return claim.effect === 'drop';
  return matchesEverything(claim.schema) && matchesEverything(claim.name);
}
