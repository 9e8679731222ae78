/**
 * Which masked column an expression depends on. Conditions inside it (EXISTS, windows, FILTER) steer
 * it and are no part of its value. What stores its argument somewhere is refused (MY-67).
 */

import type { Reading } from '../../../protocols/contract.ts';
import type { Call, Case, Expression, Query, WindowSpecification } from './ast.ts';
import { isBuiltinFunction } from './builtins.ts';
import { foldName } from './lineage-names.ts';
import type { Findings } from './lineage-findings.ts';
import {
  type Column,
  type Resolved,
  resolveColumn,
  type Scope,
  type Unexplained,
} from './lineage-scope.ts';
import { tellingName } from './lineage-telling.ts';

/** What names mean where an expression stands. */
export interface Place {
  readonly scope: Scope | undefined;
  readonly ctes: CommonTables | undefined;
  /** ON DUPLICATE KEY UPDATE: VALUES(c) is what the client itself sends. */
  readonly isDuplicate?: boolean;
}

/** The common tables in sight, innermost first. */
export interface CommonTables {
  readonly name: string;
  columns: readonly Column[];
  readonly outer: CommonTables | undefined;
}

export interface ExpressionContext {
  readonly findings: Findings;
  readonly isMasking: boolean;
  /** Undefined: any of those that are known. */
  readonly server: Reading['server'] | undefined;
  readonly unexplained: Unexplained;
  columnsOf(query: Query, place: Place): readonly Column[];
}

/** They keep their argument where a later statement can read it, or hand it to another session. */
const KEEPING: ReadonlySet<string> = new Set([
  'last_insert_id',
  'get_lock',
  'setval',
  'master_gtid_wait',
  'master_pos_wait',
  'source_pos_wait',
]);

/** They give out what is in files, whatever tables that came from (MY-40). */
const REVEALING: ReadonlySet<string> = new Set(['load_file']);

export class Expressions {
  readonly #context: ExpressionContext;

  constructor(context: ExpressionContext) {
    this.#context = context;
  }

  resolve(reference: Parameters<typeof resolveColumn>[0], place: Place): Resolved {
    const resolved = resolveColumn(reference, place.scope, this.#context.unexplained);
    if (resolved.masked !== undefined) this.#context.findings.touch();
    return resolved;
  }

  /** The first masked column that the value depends on; undefined: none. */
  value(expression: Expression, place: Place): string | undefined {
    const { findings } = this.#context;
    findings.spend();
    switch (expression.kind) {
      case 'column':
        return this.resolve(expression, place).masked;
      case 'assign': {
        const masked = this.value(expression.value, place);
        if (masked !== undefined) findings.keep('an assigned variable', masked);
        return masked;
      }
      case 'call':
        return this.#call(expression, place);
      case 'subquery': {
        const columns = this.#context.columnsOf(expression.query, place);
        if (expression.quantifier === 'exists') return undefined;
        return columns.find((column) => column.masked !== undefined)?.masked;
      }
      case 'case':
        return this.#case(expression, place);
      default: {
        const masked = this.values(operandsOf(expression), place);
        this.#tell(expression, masked);
        return masked;
      }
    }
  }

  #case({ operand, conditions, results }: Case, place: Place): string | undefined {
    const choosing = operand === undefined ? conditions : [operand, ...conditions];
    return this.#choose('CASE', choosing, results, place);
  }

  /** Which result it is can be seen where one of them is NULL or fails. */
  #choose(
    construct: string,
    conditions: readonly Expression[],
    results: readonly Expression[],
    place: Place,
  ): string | undefined {
    const chosen = this.values(conditions, place);
    if (chosen !== undefined) this.#context.findings.tell(construct, chosen);
    const shown = this.values(results, place);
    return chosen ?? shown;
  }

  #tell(expression: Expression, masked: string | undefined): void {
    if (masked === undefined) return;
    const telling = tellingName(expression);
    if (telling !== undefined) this.#context.findings.tell(telling, masked);
  }

  /** All of them are looked at: each may hold something to refuse. */
  values(expressions: readonly Expression[], place: Place): string | undefined {
    let found: string | undefined;
    for (const expression of expressions) {
      const masked = this.value(expression, place);
      found ??= masked;
    }
    return found;
  }

  /** A condition, an order, a limit: a masked column in it steers the statement. */
  steer(expressions: readonly (Expression | undefined)[], place: Place, construct: string): void {
    for (const expression of expressions) {
      const masked = expression === undefined ? undefined : this.value(expression, place);
      if (masked !== undefined) this.#context.findings.steer(construct, masked);
    }
  }

  /** A value that is stored or sent somewhere: no masked column may be in it. */
  store(expressions: readonly (Expression | undefined)[], place: Place, construct: string): void {
    for (const expression of expressions) {
      const masked = expression === undefined ? undefined : this.value(expression, place);
      if (masked !== undefined) this.#context.findings.keep(construct, masked);
    }
  }

  window(window: WindowSpecification, place: Place): void {
    this.steer([...window.partitionBy, ...window.orderBy, ...window.frame], place, 'a window');
  }

  #if({ args: [condition, ...results] }: Call, place: Place): string | undefined {
    return this.#choose('IF()', condition === undefined ? [] : [condition], results, place);
  }

  #args(call: Call, place: Place): string | undefined {
    // WITHIN GROUP (ORDER BY x) gives out a value of x.
    const isOrderShown = foldName(call.name.name).startsWith('percentile_');
    const masked = this.values(isOrderShown ? [...call.args, ...call.orderBy] : call.args, place);
    this.#tell(call, masked);
    return masked;
  }

  #call(call: Call, place: Place): string | undefined {
    const { findings, isMasking } = this.#context;
    const name = foldName(call.name.name);
    const isBuiltin =
      call.name.schema === undefined &&
      !call.isQuoted &&
      isBuiltinFunction(name, this.#context.server);
    if (place.isDuplicate === true && (name === 'values' || name === 'value')) return undefined;
    const masked = isBuiltin && name === 'if' ? this.#if(call, place) : this.#args(call, place);
    this.steer(call.orderBy, place, `the order in ${name}()`);
    this.steer([call.filter], place, 'FILTER');
    if (call.over !== undefined) this.window(call.over, place);
    if (isMasking && REVEALING.has(name))
      findings.refuse(`${name}() can show what was stored in files`);
    if (masked !== undefined && (!isBuiltin || KEEPING.has(name)))
      findings.keep(`${name.slice(0, 64)}()`, masked);
    return masked;
  }
}

type Computed = Exclude<Expression, { kind: 'column' | 'assign' | 'call' | 'subquery' | 'case' }>;

function operandsOf(expression: Computed): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
    case 'user-variable':
    case 'system-variable':
    case 'sequence':
      return [];
    case 'operator':
      return expression.operands;
    case 'row':
      return expression.items;
    case 'interval':
    case 'cast':
      return [expression.value];
  }
}
