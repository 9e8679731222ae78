/** CREATE of what has a body: routines, triggers, events, packages. */

import type {
  CreateEventStatement,
  CreateRoutineStatement,
  CreateTriggerStatement,
  Expression,
  QualifiedName,
  Statement,
} from './ast.ts';
import { type Cursor, OPEN } from './parse-base.ts';
import { UNITS } from './reserved.ts';

export const BODIED: ReadonlySet<string> = new Set([
  'PROCEDURE',
  'FUNCTION',
  'TRIGGER',
  'EVENT',
  'PACKAGE',
]);

interface BodiedHead {
  readonly verb: 'create' | 'alter';
  readonly isReplacing: boolean;
}

export function parseBodied(cursor: Cursor, head: BodiedHead): Statement {
  const object = cursor.take().toUpperCase();
  if (object === 'PACKAGE') return cursor.fail('no package (sql_mode ORACLE is not read)');
  if (cursor.eat('IF')) cursor.need('NOT', 'EXISTS');
  if (object === 'TRIGGER') return parseTrigger(cursor, head);
  if (object === 'EVENT') return parseEvent(cursor, head);
  return parseRoutine(cursor, head, object === 'FUNCTION' ? 'function' : 'procedure');
}

function parseBody(cursor: Cursor): Statement {
  const { isInBody } = cursor;
  cursor.isInBody = true;
  const body = cursor.grammar.statement(cursor);
  cursor.isInBody = isInBody;
  return body;
}

// --- Routines

function parseRoutine(
  cursor: Cursor,
  head: BodiedHead,
  type: 'procedure' | 'function',
): CreateRoutineStatement {
  const routine = cursor.qualifiedName();
  const base = {
    kind: 'create-routine',
    type,
    isReplacing: head.isReplacing,
    routine,
    expressions: [],
  } as const;
  if (cursor.eat('RETURNS') && isLoadable(cursor)) {
    cursor.need('SONAME');
    cursor.string();
    return { ...base, body: undefined, isLoadable: true };
  }
  if (cursor.isSign(OPEN)) skipParameters(cursor);
  if (cursor.eat('RETURNS')) skipType(cursor);
  const isForeign = skipCharacteristics(cursor);
  if (isForeign) {
    // LANGUAGE JAVASCRIPT AS '...': code of another kind.
    cursor.skipRest();
    return { ...base, body: undefined, isLoadable: true };
  }
  return { ...base, body: parseBody(cursor), isLoadable: false };
}

/** Names and types. A default (MariaDB 11.8) is an expression that runs when it is called, so it is not skipped. */
function skipParameters(cursor: Cursor): void {
  const start = cursor.index;
  cursor.skipParentheses();
  const end = cursor.index;
  for (cursor.index = start; cursor.index < end; cursor.index += 1)
    if (cursor.is('DEFAULT')) cursor.fail('no default of a parameter');
}

/** CREATE FUNCTION f RETURNS STRING SONAME 'lib.so': the word of the type is taken. */
function isLoadable(cursor: Cursor): boolean {
  cursor.take();
  return cursor.is('SONAME');
}

const TYPE_PREFIXES: ReadonlySet<string> = new Set(['NATIONAL', 'LONG', 'DOUBLE', 'ROW']);
const TYPE_SECONDS: ReadonlySet<string> = new Set(
  'CHAR VARCHAR CHARACTER VARCHARACTER VARBINARY PRECISION VARYING TYPE'.split(' '),
);
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set(
  'UNSIGNED SIGNED ZEROFILL BINARY ASCII UNICODE BYTE VARYING PRECISION'.split(' '),
);

/** A type with its attributes: exactly that, since a body comes next. */
export function skipType(cursor: Cursor): void {
  const isPrefix = TYPE_PREFIXES.has(cursor.word());
  const isTypeOf = cursor.is('TYPE', 'OF');
  cursor.anyName();
  if (isTypeOf || (isPrefix && cursor.eat('TYPE'))) {
    skipTypeOf(cursor);
    return;
  }
  if (isPrefix) cursor.eatAny(TYPE_SECONDS);
  if (cursor.isSign(OPEN)) cursor.skipParentheses();
  for (;;) {
    if (cursor.eat('CHARACTER', 'SET') || cursor.eat('CHARSET') || cursor.eat('COLLATE'))
      cursor.nameOrString();
    else if (cursor.eatAny(TYPE_ATTRIBUTES) === undefined) return;
    if (cursor.isSign(OPEN)) cursor.skipParentheses();
  }
}

/** Of TYPE OF t.c and ROW TYPE OF t, what comes behind TYPE. */
function skipTypeOf(cursor: Cursor): void {
  cursor.need('OF');
  cursor.qualifiedName();
  while (cursor.eatSign(0x2e)) cursor.anyName();
}

/** True: the body is in another language. */
function skipCharacteristics(cursor: Cursor): boolean {
  let isForeign = false;
  for (;;) {
    if (cursor.eat('COMMENT')) cursor.string();
    else if (cursor.eat('LANGUAGE')) {
      if (!cursor.eat('SQL')) {
        isForeign = true;
        cursor.anyName();
      }
    } else if (cursor.eat('SQL', 'SECURITY')) cursor.anyName();
    else if (!skipFlag(cursor)) return isForeign;
  }
}

const FLAGS: readonly (readonly string[])[] = [
  ['NOT', 'DETERMINISTIC'],
  ['DETERMINISTIC'],
  ['CONTAINS', 'SQL'],
  ['NO', 'SQL'],
  ['READS', 'SQL', 'DATA'],
  ['MODIFIES', 'SQL', 'DATA'],
];

function skipFlag(cursor: Cursor): boolean {
  return FLAGS.some((words) => cursor.eat(...words));
}

// --- Triggers and events

const TRIGGER_EVENTS: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE']);

function parseTrigger(cursor: Cursor, head: BodiedHead): CreateTriggerStatement {
  const trigger = cursor.qualifiedName();
  if (!cursor.eat('BEFORE')) cursor.need('AFTER');
  do {
    if (cursor.eatAny(TRIGGER_EVENTS) === undefined) cursor.fail('INSERT, UPDATE or DELETE');
    if (cursor.eat('OF')) cursor.nameList();
  } while (cursor.eat('OR'));
  cursor.need('ON');
  const table = cursor.qualifiedName();
  cursor.need('FOR', 'EACH', 'ROW');
  if (cursor.eat('FOLLOWS') || cursor.eat('PRECEDES')) cursor.qualifiedName();
  const body = parseBody(cursor);
  return { kind: 'create-trigger', isReplacing: head.isReplacing, trigger, table, body };
}

function parseEvent(cursor: Cursor, head: BodiedHead): CreateEventStatement {
  const event = cursor.qualifiedName();
  const expressions: Expression[] = [];
  let newName: QualifiedName | undefined;
  let body: Statement | undefined;
  for (;;) {
    if (cursor.eat('ON', 'SCHEDULE')) readSchedule(cursor, expressions);
    else if (cursor.eat('RENAME', 'TO')) newName = cursor.qualifiedName();
    else if (cursor.eat('COMMENT')) cursor.string();
    else if (cursor.eat('DO')) {
      body = parseBody(cursor);
      break;
    } else if (!skipEventFlag(cursor)) break;
  }
  const { verb, isReplacing } = head;
  return { kind: 'create-event', verb, isReplacing, event, newName, expressions, body };
}

function skipEventFlag(cursor: Cursor): boolean {
  if (cursor.eat('ON', 'COMPLETION')) {
    cursor.eat('NOT');
    cursor.need('PRESERVE');
    return true;
  }
  if (cursor.eat('ENABLE')) return true;
  if (!cursor.eat('DISABLE')) return false;
  if (cursor.eat('ON') && !cursor.eat('SLAVE')) cursor.need('REPLICA');
  return true;
}

/** AT e, EVERY e unit [STARTS e] [ENDS e]. */
function readSchedule(cursor: Cursor, expressions: Expression[]): void {
  if (cursor.eat('AT')) {
    expressions.push(cursor.grammar.expression(cursor));
    return;
  }
  cursor.need('EVERY');
  expressions.push(cursor.grammar.expression(cursor));
  if (cursor.eatAny(UNITS) === undefined) cursor.fail('a unit of time');
  while (cursor.eat('STARTS') || cursor.eat('ENDS'))
    expressions.push(cursor.grammar.expression(cursor));
}
