/**
 * Prepared statements and portals as the server has them: entered when the server says it made them,
 * not when the client asks (PG-37). Only kept where results are inspected.
 */

import type { MaskingPlan, Trace } from '../contract.ts';

/** What the decision on a statement said of it. */
export interface Statement {
  readonly isSensitive: boolean;
  readonly trace: Trace | undefined;
}

export interface Portal {
  /** Undefined: bound from a statement that we did not see prepared, or a cursor (PG-38, PG-39). */
  readonly statement: Statement | undefined;
  /** Undefined: its rows have not been described yet, so none may pass. */
  plan: MaskingPlan | 'clear' | undefined;
}

/** Names that one client may keep; each costs it a statement or portal in the server as well. */
const NAMES_MAX = 100_000;

export class Statements {
  readonly #statements = new Map<string, Statement>();
  readonly #portals = new Map<string, Portal>();

  statement(name: string): Statement | undefined {
    return this.#statements.get(name);
  }

  addStatement(name: string, statement: Statement): void {
    // Past the limit a statement stays unknown, which is the careful answer: its results are traced
    // as unknown and its diagnostics are redacted.
    if (this.#statements.size < NAMES_MAX) this.#statements.set(name, statement);
    else this.#statements.delete(name);
  }

  removeStatement(name: string): void {
    this.#statements.delete(name);
  }

  portal(name: string): Portal {
    const known = this.#portals.get(name);
    if (known !== undefined) return known;
    const portal: Portal = { statement: undefined, plan: undefined };
    if (this.#portals.size >= NAMES_MAX) this.#portals.clear();
    this.#portals.set(name, portal);
    return portal;
  }

  addPortal(name: string, statementName: string): void {
    this.#portals.set(name, { statement: this.#statements.get(statementName), plan: undefined });
  }

  removePortal(name: string): void {
    this.#portals.delete(name);
  }

  /** DEALLOCATE, DISCARD: which names are gone is not told, so all of them become unknown. */
  forgetStatements(): void {
    this.#statements.clear();
  }

  /** The transaction ended: its portals are gone (PG-36), except cursors WITH HOLD, which are unknown. */
  forgetPortals(): void {
    this.#portals.clear();
  }
}
