/** Texts of tests, parsed as a MariaDB server of today reads them, and judged. */

import type { Reading } from '../../../../protocols/contract.ts';
import type { Exposure, SensitiveRelations } from '../../../../lib/sql/analysis.ts';
import type { Statement } from '../../../../lib/sql/mysql/ast.ts';
import { MysqlSyntaxError } from '../../../../lib/sql/mysql/errors.ts';
import { judgeExposure } from '../../../../lib/sql/mysql/exposure.ts';
import { parseText } from '../../../../lib/sql/mysql/parse.ts';
import { SENSITIVE } from './exposure-cases.ts';

export const READING: Reading = {
  database: 'app',
  server: { flavor: 'mariadb', version: 101_119 },
  ansiQuotes: false,
  noBackslashEscapes: false,
};

/** Undefined: a syntax error. */
export function parse(
  text: string,
  server: Reading['server'] = READING.server,
): readonly Statement[] | undefined {
  const lexing = { server, ansiQuotes: false, noBackslashEscapes: false, sixDigits: true };
  try {
    return parseText(text, lexing).statements;
  } catch (error) {
    if (error instanceof MysqlSyntaxError) return undefined;
    throw error;
  }
}

export function exposureOf(
  text: string,
  sensitive: SensitiveRelations = SENSITIVE,
  reading: Reading = READING,
): Exposure {
  const { server } = reading;
  const statements = parse(text, server);
  if (statements === undefined) throw new Error(`a syntax error in: ${text}`);
  return judgeExposure(statements, {
    sensitive,
    reading,
    parse: (inner) => parse(inner, server),
  });
}
