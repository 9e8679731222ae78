/** The parser of MySQL and MariaDB: from a text to the trees of its statements. */

import type { Query, QueryBody, Statement } from './ast.ts';
import { lex, type Lexed, type Lexing } from './lexer.ts';
import { Cursor, type Grammar, OPEN, SEMICOLON } from './parse-base.ts';
import { parseBodyStatement, parseDiagnostics, parseSignal } from './parse-bodies.ts';
import { parseAlter, parseCreate, parseDrop, parseRename } from './parse-ddl.ts';
import {
  parseCallStatement,
  parseDelete,
  parseDo,
  parseHandler,
  parseInsert,
  parseLoad,
  parseTruncate,
  parseUpdate,
} from './parse-dml.ts';
import { parseExpression } from './parse-expressions.ts';
import { parseQuery, parseQueryAfterWith, parseWith } from './parse-queries.ts';
import { parseSet } from './parse-set.ts';
import { isAnalyzeStatement, parseExplain, parseShow } from './parse-show.ts';
import {
  parseExecute,
  parseGrant,
  parseLock,
  parsePrepare,
  parseUtility,
} from './parse-utility.ts';
import { END } from './tokens.ts';

export interface ParsedText {
  readonly statements: readonly Statement[];
  /** Where each statement ends in the text. */
  readonly ends: readonly number[];
  readonly lexed: Lexed;
  /** A literal is the name of something in it. */
  readonly hasStringName: boolean;
}

const GRAMMAR: Grammar = {
  expression: parseExpression,
  query: (cursor: Cursor, first?: QueryBody): Query => parseQuery(cursor, first),
  statement: parseStatement,
};

/** All statements of a text; none for an empty text or comments only. */
export function parseText(text: string, lexing: Lexing): ParsedText {
  const lexed = lex(text, lexing);
  const cursor = new Cursor(lexed.tokens, lexing, GRAMMAR);
  const statements: Statement[] = [];
  const ends: number[] = [];
  for (;;) {
    while (cursor.eatSign(SEMICOLON));
    if (cursor.kind() === END)
      return { statements, ends, lexed, hasStringName: cursor.hasStringName };
    statements.push(parseStatement(cursor));
    ends.push(lexed.tokens.start(cursor.index));
    if (cursor.kind() !== END && !cursor.isSign(SEMICOLON)) cursor.fail('the end of the statement');
  }
}

function parseStatement(cursor: Cursor): Statement {
  cursor.enter();
  const statement = parseBodyStatement(cursor) ?? parseAny(cursor) ?? parseUtility(cursor);
  cursor.leave();
  return statement ?? cursor.fail('a statement');
}

function parseAny(cursor: Cursor): Statement | undefined {
  if (cursor.isSign(OPEN)) return parseSelect(cursor);
  if (cursor.is('LOAD')) return parseLoadStatement(cursor);
  if (cursor.is('ANALYZE')) return isAnalyzeStatement(cursor) ? parseExplain(cursor) : undefined;
  return PARSERS.get(cursor.word())?.(cursor);
}

/** By the first word; what is not here is in the table of parse-utility.ts, or no statement. */
const PARSERS: ReadonlyMap<string, (cursor: Cursor) => Statement> = new Map([
  ['SELECT', parseSelect],
  ['VALUES', parseSelect],
  ['TABLE', parseSelect],
  ['WITH', parseWithStatement],
  ['INSERT', (cursor: Cursor): Statement => parseInsert(cursor, undefined)],
  ['REPLACE', (cursor: Cursor): Statement => parseInsert(cursor, undefined)],
  ['UPDATE', (cursor: Cursor): Statement => parseUpdate(cursor, undefined)],
  ['DELETE', (cursor: Cursor): Statement => parseDelete(cursor, undefined)],
  ['CALL', parseCallStatement],
  ['DO', parseDo],
  ['HANDLER', parseHandler],
  ['TRUNCATE', parseTruncate],
  ['SET', parseSet],
  ['USE', parseUse],
  ['SHOW', parseShow],
  ['EXPLAIN', parseExplain],
  ['DESCRIBE', parseExplain],
  ['DESC', parseExplain],
  ['CREATE', parseCreate],
  ['ALTER', parseAlter],
  ['DROP', parseDrop],
  ['RENAME', parseRename],
  ['GRANT', parseGrant],
  ['REVOKE', parseGrant],
  ['LOCK', parseLock],
  ['UNLOCK', parseLock],
  ['PREPARE', parsePrepare],
  ['EXECUTE', parseExecute],
  ['DEALLOCATE', parseDeallocate],
  ['SIGNAL', parseSignal],
  ['RESIGNAL', parseSignal],
  ['GET', parseDiagnostics],
]);

function parseSelect(cursor: Cursor): Statement {
  return { kind: 'select-statement', query: parseQuery(cursor) };
}

function parseWithStatement(cursor: Cursor): Statement {
  const clause = parseWith(cursor);
  if (clause === undefined) return cursor.fail('WITH');
  switch (cursor.word()) {
    case 'INSERT':
    case 'REPLACE':
      return parseInsert(cursor, clause);
    case 'UPDATE':
      return parseUpdate(cursor, clause);
    case 'DELETE':
      return parseDelete(cursor, clause);
    default:
      return { kind: 'select-statement', query: parseQueryAfterWith(cursor, clause) };
  }
}

/** LOAD DATA and LOAD XML; LOAD INDEX is another thing. */
function parseLoadStatement(cursor: Cursor): Statement | undefined {
  if (cursor.word(1) !== 'DATA' && cursor.word(1) !== 'XML') return undefined;
  cursor.index += 1;
  return parseLoad(cursor);
}

function parseUse(cursor: Cursor): Statement {
  cursor.index += 1;
  return { kind: 'use', database: cursor.anyName() };
}

function parseDeallocate(cursor: Cursor): Statement {
  cursor.need('DEALLOCATE', 'PREPARE');
  return { kind: 'deallocate', name: cursor.name() };
}
