/**
 * From a text to its analysis: parse it in every way in which the server may read it, collect effects,
 * judge exposure. Runs in a worker thread; what it returns is plain data, never a tree.
 */

import type { Reading } from '../../../protocols/contract.ts';
import type {
  AnalysisResult,
  Exposure,
  SensitiveRelations,
  StatementAnalysis,
  ViewColumn,
} from '../analysis.ts';
import type { Statement } from './ast.ts';
import { EffectScan, TOP } from './effects-scan.ts';
import { readStatement } from './effects-statements.ts';
import { MysqlSyntaxError, TooDeepError, UnsureError } from './errors.ts';
import { judgeExposure, judgeRoutine, mergeReadings } from './exposure.ts';
import type { Lexing } from './lexer.ts';
import { LineageTooLargeError } from './lineage-scope.ts';
import { type ParsedText, parseText } from './parse.ts';
import { addSecondOpinion, loadSecondReader } from './second-reader.ts';
import { statementName } from './statement-names.ts';
import { ANY_VERSION } from './version-comments.ts';
import { traceView } from './view.ts';

export interface TextContext {
  readonly sensitive: SensitiveRelations | undefined;
  readonly reading: Reading | undefined;
}

export interface Analyzed {
  readonly result: AnalysisResult;
  /** What the second reader saw and this one did not. */
  readonly disagreements: number;
}

/** Where nobody says which server it is: what is in definitions that a server prints is read alike by all. */
export const ANY_READING: Reading = {
  database: undefined,
  server: { flavor: 'mariadb', version: 120_000 },
  ansiQuotes: false,
  noBackslashEscapes: false,
};

/** Statements whose analysis is the same for every text of one shape, if no literal was looked at. */
const SHAPED: ReadonlySet<Statement['kind']> = new Set([
  'select-statement',
  'insert',
  'update',
  'delete',
]);

/** What a thread loads and compiles before its first text, so that none pays for it with its own time. */
export function warmUp(): void {
  const text =
    'SELECT a, count(*) FROM t JOIN u USING (b) WHERE c = 1 GROUP BY a ORDER BY b LIMIT 2';
  for (const flavor of ['mysql', 'mariadb'] as const) {
    loadSecondReader(flavor);
    const server = { flavor, version: ANY_READING.server.version };
    analyzeStatements(text, { sensitive: undefined, reading: { ...ANY_READING, server } });
  }
}

/** One way to read a text, and what it gives. */
interface Variant {
  readonly lexing: Lexing;
  readonly parsed: ParsedText;
}

export function analyzeStatements(text: string, context: TextContext): Analyzed {
  let disagreements = 0;
  const result = answering(() => {
    const reading = context.reading ?? ANY_READING;
    const variants = readVariants(text, reading);
    const scans = variants.map((variant) => scanVariant(text, variant, reading));
    const merged = mergeScans(variants, scans);
    const second = addSecondOpinion(
      text,
      variants.map(({ parsed }) => parsed.statements),
      merged.effects,
      reading,
    );
    disagreements = second.disagreements;
    return {
      ...merged,
      effects: second.effects,
      isShapeStable: merged.isShapeStable && second.disagreements === 0,
      exposure: exposureOf(variants, context),
    };
  });
  return { result, disagreements };
}

// --- Ways to read a text

/**
 * ANSI_QUOTES that nobody knows, and version comments that releases of MySQL count differently: each is
 * read in both ways, and what holds in one of them holds. A way that is no SQL would be refused by the server.
 */
function readVariants(text: string, reading: Reading): readonly Variant[] {
  const variants: Variant[] = [];
  let failure: MysqlSyntaxError | undefined;
  for (const lexing of lexings(text, reading)) {
    try {
      variants.push({ lexing, parsed: parseText(text, lexing) });
    } catch (error) {
      if (!(error instanceof MysqlSyntaxError)) throw error;
      failure ??= error;
    }
  }
  if (variants.length === 0 && failure !== undefined) throw failure;
  return variants;
}

function lexings(text: string, reading: Reading): readonly Lexing[] {
  const { server, noBackslashEscapes } = reading;
  const quotes =
    reading.ansiQuotes !== undefined
      ? [reading.ansiQuotes]
      : text.includes('"')
        ? [false, true]
        : [false];
  const isAmbiguous = server.flavor === 'mysql' && /\/\*!\d{6}/.test(text);
  const counts = isAmbiguous ? [true, false] : [true];
  // Lookalikes run version comments of any version (MY-38).
  const isCommented = server.isLookalike === true && text.includes('/*!');
  const servers = isCommented ? [server, { ...server, version: ANY_VERSION }] : [server];
  return servers.flatMap((one) =>
    quotes.flatMap((ansiQuotes) =>
      counts.map((sixDigits) => ({ server: one, noBackslashEscapes, ansiQuotes, sixDigits })),
    ),
  );
}

// --- Effects

function scanVariant(text: string, { lexing, parsed }: Variant, reading: Reading): EffectScan {
  const scan = new EffectScan({
    server: reading.server,
    database: reading.database,
    parse: (inner) => parseInner(inner, lexing),
    readStatement,
  });
  const { statements, ends } = parsed;
  const lasts = new Map<RegExp, number>();
  statements.forEach((statement, index) => {
    scan.visitTop(statement);
    if (index === statements.length - 1) return;
    // The server reads a packet statement by statement, so each may change how the next is read (MY-62).
    for (const { what, unless } of scan.changes) {
      const last = unless === undefined ? text.length : lastMatch(text, unless, lasts);
      if (last >= (ends[index] ?? 0))
        scan.addHazard(`${what} before another statement in the same packet`);
    }
  });
  return scan;
}

/** Where the last such character stands; looked for once, however many statements ask. */
function lastMatch(text: string, characters: RegExp, known: Map<RegExp, number>): number {
  let index = known.get(characters);
  if (index === undefined) {
    index = text.length - 1;
    while (index >= 0 && !characters.test(text.charAt(index))) index -= 1;
    known.set(characters, index);
  }
  return index;
}

/** Undefined: it cannot be parsed, which on a server may be otherwise. */
function parseInner(text: string, lexing: Lexing): readonly Statement[] | undefined {
  if (text.includes('\u0000')) return undefined;
  const statements = tryParse(text, lexing);
  if (statements === undefined) return undefined;
  const lossy = LOST_CHARACTERS.map((lost) => text.replaceAll(lost, '?'));
  const others = [...new Set(lossy)].filter((other) => other !== text);
  return [...statements, ...others.flatMap((other) => tryParse(other, lexing) ?? [])];
}

/**
 * A literal goes through character_set_connection before PREPARE reads it, and what that has no character
 * for becomes a question mark: in swe7 a backslash, so that a string ends earlier (MY-61).
 */
const LOST_CHARACTERS: readonly RegExp[] = [
  /\P{ASCII}/gu,
  /[@[\\\]^`{|}~]/g,
  /[@[\\\]^`{|}~]|\P{ASCII}/gu,
];

function tryParse(text: string, lexing: Lexing): readonly Statement[] | undefined {
  try {
    return parseText(text, lexing).statements;
  } catch (error) {
    if (error instanceof MysqlSyntaxError) return undefined;
    throw error;
  }
}

function mergeScans(
  variants: readonly Variant[],
  scans: readonly EffectScan[],
): Omit<StatementAnalysis, 'exposure'> {
  // The longest list, so that nothing is taken for a single statement that may be two.
  const [longest = []] = variants
    .map(({ parsed }) => parsed.statements)
    .toSorted((left, right) => right.length - left.length);
  const isShaped = longest.every((statement) => SHAPED.has(statement.kind) && !hasInto(statement));
  return {
    kind: 'analysis',
    statements: longest.map(statementName),
    effects: distinct(scans.flatMap((scan) => scan.effects)),
    functions: distinct(scans.flatMap((scan) => scan.functions)),
    operators: [],
    types: [],
    takenOver: distinct(scans.flatMap((scan) => scan.takenOver)),
    searchesCatalogLate: false,
    lexerHazards: [...new Set(scans.flatMap((scan) => scan.hazards))],
    isShapeStable:
      isShaped &&
      longest.length > 0 &&
      variants.length === 1 &&
      !variants.some(({ parsed }) => parsed.hasStringName) &&
      !scans.some((scan) => scan.looksAtLiteral),
  };
}

/** One scan has each entry once; several may have the same. */
function distinct<T>(entries: readonly T[]): readonly T[] {
  const found = new Map(entries.map((entry) => [JSON.stringify(entry), entry]));
  return [...found.values()];
}

function hasInto(statement: Statement): boolean {
  if (statement.kind !== 'select-statement') return false;
  const { into, body } = statement.query;
  return into.length > 0 || (body.kind === 'select' && body.into.length > 0);
}

// --- Exposure

function exposureOf(variants: readonly Variant[], context: TextContext): Exposure | undefined {
  const { sensitive, reading } = context;
  if (sensitive === undefined) return undefined;
  const exposures = variants.map(({ lexing, parsed }) =>
    judgeExposure(parsed.statements, {
      sensitive,
      reading,
      parse: (inner) => parseInner(inner, lexing),
    }),
  );
  const [only] = exposures;
  return exposures.length === 1 ? only : mergeReadings(exposures);
}

// --- Routines and views

/** The effects of calling a routine, given the text of its definition; not those of creating it. */
export function analyzeRoutineDefinition(
  language: string,
  definition: string,
  context: TextContext,
): AnalysisResult {
  return answering(() => {
    const reading = context.reading ?? ANY_READING;
    const [variant] = readVariants(definition, reading);
    const statement = variant?.parsed.statements[0];
    const isOne = variant?.parsed.statements.length === 1;
    const body = statement === undefined ? undefined : bodyOf(statement);
    if (variant === undefined || statement === undefined || !isOne || body === undefined)
      return { kind: 'refused', reason: 'the definition of a routine cannot be read' };
    const { lexing } = variant;
    const parse = (inner: string): readonly Statement[] | undefined => parseInner(inner, lexing);
    const { server, database } = reading;
    const scan = new EffectScan({ server, database, parse, readStatement });
    scan.visitTop(body, true);
    if (language !== 'sql')
      scan.add('unknown', undefined, { ...TOP, via: `code in language ${language}` });
    const { sensitive } = context;
    return {
      ...mergeScans([variant], [scan]),
      statements: [],
      isShapeStable: false,
      exposure:
        sensitive === undefined
          ? undefined
          : { ...judgeRoutine(statement, { sensitive, reading, parse }), outputs: [] },
    };
  });
}

function bodyOf(statement: Statement): Statement | undefined {
  switch (statement.kind) {
    case 'create-routine':
    case 'create-trigger':
    case 'create-event':
      return statement.body;
    default:
      return undefined;
  }
}

export function analyzeViewDefinition(
  definition: string,
  sensitive: SensitiveRelations,
): readonly ViewColumn[] | undefined {
  try {
    const [variant] = readVariants(definition, ANY_READING);
    if (variant === undefined) return undefined;
    const { lexing, parsed } = variant;
    const parse = (inner: string): readonly Statement[] | undefined => parseInner(inner, lexing);
    return traceView(parsed.statements, { sensitive, reading: undefined, parse });
  } catch (error) {
    if (isRefusal(error)) return undefined;
    if (error instanceof MysqlSyntaxError || error instanceof UnsureError) return undefined;
    throw error;
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof TooDeepError || error instanceof LineageTooLargeError;
}

function answering(analyze: () => AnalysisResult): AnalysisResult {
  try {
    return analyze();
  } catch (error) {
    if (error instanceof MysqlSyntaxError)
      return { kind: 'syntax-error', message: error.message, position: error.position };
    if (error instanceof UnsureError) return { kind: 'refused', reason: error.message };
    if (isRefusal(error))
      return { kind: 'refused', reason: `the statement is too large to be read: ${error.message}` };
    throw error;
  }
}
