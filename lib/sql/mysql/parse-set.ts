/** SET in all its forms, and USE. */

import type { Expression, SetItem, SetStatement, VariableScope } from './ast.ts';
import { ASSIGN, CLOSE, COMMA, type Cursor, DOT, EQUALS, OPEN, SEMICOLON } from './parse-base.ts';
import { scopeWord, systemVariable, userVariable } from './parse-primary.ts';
import { END, NAME, NUMBER, QUOTED, STRING, SYSTEM, VARIABLE, WORD } from './tokens.ts';

/** Words that are values of settings and not names of columns. */
const VALUE_WORDS: ReadonlySet<string> = new Set(
  'ON ALL BINARY DEFAULT ROW SYSTEM FORCE OFF'.split(' '),
);

/** GLOBAL and its kin hold for what follows as well, up to the next such word. */
interface Sticky {
  scope: VariableScope;
}

export function parseSet(cursor: Cursor): SetStatement {
  cursor.index += 1;
  const sticky: Sticky = { scope: 'none' };
  if (cursor.is('STATEMENT') && cursor.kind(1) === WORD) {
    cursor.index += 1;
    const items = cursor.list(() => parseVariable(cursor, 'session', true));
    cursor.need('FOR');
    return { kind: 'set', items, statement: cursor.grammar.statement(cursor) };
  }
  const items = cursor.list(() => parseItem(cursor, sticky));
  return { kind: 'set', items, statement: undefined };
}

function parseItem(cursor: Cursor, sticky: Sticky): SetItem {
  if (isAssignment(cursor, 1)) return parseScoped(cursor, sticky);
  switch (cursor.word()) {
    case 'NAMES':
    case 'CHARSET':
      return parseCharset(
        cursor,
        cursor.take().toUpperCase() === 'NAMES' ? 'names' : 'character-set',
      );
    case 'CHARACTER':
      cursor.need('CHARACTER', 'SET');
      return parseCharset(cursor, 'character-set');
    case 'PASSWORD':
      return parsePassword(cursor);
    case 'ROLE':
      return parseRole(cursor, 'role');
    case 'DEFAULT':
      cursor.need('DEFAULT');
      return parseRole(cursor, 'default-role');
    case 'RESOURCE':
      return parseWords(cursor, 'resource-group', 'none');
    case 'TRANSACTION':
      return parseWords(cursor, 'transaction', 'none');
    default:
      return parseScoped(cursor, sticky);
  }
}

function isAssignment(cursor: Cursor, offset: number): boolean {
  return cursor.isSign(EQUALS, offset) || cursor.isSign(ASSIGN, offset);
}

function parseScoped(cursor: Cursor, sticky: Sticky): SetItem {
  if (cursor.kind() === VARIABLE) {
    const variable = userVariable(cursor);
    needAssignment(cursor);
    return { kind: 'set-user', variable, value: cursor.grammar.expression(cursor) };
  }
  const scope = isAssignment(cursor, 1) || cursor.isSign(DOT, 1) ? undefined : scopeWord(cursor);
  if (scope === undefined) return parseVariable(cursor, sticky.scope, false);
  cursor.index += 1;
  if (cursor.is('TRANSACTION')) return parseWords(cursor, 'transaction', scope);
  sticky.scope = scope;
  return parseVariable(cursor, scope, true);
}

function parseVariable(cursor: Cursor, scope: VariableScope, isSystem: boolean): SetItem {
  if (cursor.kind() === SYSTEM) {
    const variable = systemVariable(cursor);
    needAssignment(cursor);
    const value = parseValue(cursor);
    const stated = variable.scope === 'none' ? scope : variable.scope;
    return { kind: 'set-system', scope: stated, name: variable.name, isSystem: true, value };
  }
  let name = cursor.anyName();
  while (cursor.eatSign(DOT)) name += `.${cursor.anyName()}`;
  needAssignment(cursor);
  const value = parseValue(cursor);
  return { kind: 'set-system', scope, name: name.toLowerCase(), isSystem, value };
}

function needAssignment(cursor: Cursor): void {
  if (!cursor.eatSign(EQUALS)) cursor.needSign(ASSIGN);
}

function parseValue(cursor: Cursor): Expression {
  const isWord = cursor.isAny(VALUE_WORDS) && isValueEnd(cursor);
  if (!isWord) return cursor.grammar.expression(cursor);
  const value = cursor.take();
  return { kind: 'literal', type: 'default', value, isOpaque: false };
}

/** The value is this one word: the list, the statement or SET STATEMENT's settings go on behind it. */
function isValueEnd(cursor: Cursor): boolean {
  const isSignEnd = cursor.isSign(COMMA, 1) || cursor.isSign(SEMICOLON, 1);
  return isSignEnd || cursor.kind(1) === END || cursor.word(1) === 'FOR';
}

/** NAMES utf8mb4 COLLATE x, NAMES DEFAULT, CHARACTER SET 'utf8'. */
function parseCharset(cursor: Cursor, form: 'names' | 'character-set'): SetItem {
  cursor.eatEquals();
  const isPlain = cursor.kind() === STRING || (cursor.kind() === WORD && !cursor.is('DEFAULT'));
  if (isPlain || cursor.isQuotedName) {
    const charset = cursor.nameOrString().toLowerCase();
    if (cursor.eat('COLLATE')) cursor.nameOrString();
    return { kind: 'set-charset', form, charset, value: undefined };
  }
  return {
    kind: 'set-charset',
    form,
    charset: undefined,
    value: cursor.grammar.expression(cursor),
  };
}

/** SET PASSWORD [FOR user] = PASSWORD('x') | 'hash', TO RANDOM, REPLACE 'old' RETAIN CURRENT PASSWORD. */
function parsePassword(cursor: Cursor): SetItem {
  cursor.need('PASSWORD');
  if (cursor.eat('FOR')) skipAccount(cursor);
  const expressions: Expression[] = [];
  if (!cursor.eat('TO', 'RANDOM')) {
    needAssignment(cursor);
    expressions.push(cursor.grammar.expression(cursor));
  }
  if (cursor.eat('REPLACE')) cursor.string();
  cursor.eat('RETAIN', 'CURRENT', 'PASSWORD');
  return { kind: 'set-other', what: 'password', scope: 'none', expressions };
}

/** `'u'@'h'`, `u`, CURRENT_USER(). */
export function skipAccount(cursor: Cursor): void {
  cursor.nameOrString();
  if (cursor.kind() === VARIABLE) cursor.index += 1;
  else if (cursor.eatSign(OPEN)) cursor.needSign(CLOSE);
}

/**
 * On MariaDB a role is one item of the list, and other settings may follow. On MySQL it is a statement
 * of its own with a list of roles.
 */
function parseRole(cursor: Cursor, what: 'role' | 'default-role'): SetItem {
  cursor.need('ROLE');
  if (!cursor.isMaria) return parseWords(cursor, what, 'none');
  skipAccount(cursor);
  if (cursor.eat('FOR')) skipAccount(cursor);
  return { kind: 'set-other', what, scope: 'none', expressions: [] };
}

const WORD_KINDS: ReadonlySet<number> = new Set([WORD, NAME, QUOTED, STRING, VARIABLE, NUMBER]);

/** To the end, with nothing but words, names and commas: no setting hides in it. */
function parseWords(
  cursor: Cursor,
  what: Extract<SetItem, { kind: 'set-other' }>['what'],
  scope: VariableScope,
): SetItem {
  while (WORD_KINDS.has(cursor.kind()) || cursor.isSign(COMMA)) cursor.index += 1;
  return { kind: 'set-other', what, scope, expressions: [] };
}
