import t from 'tap';
import type { SensitiveRelations } from '../../../lib/sql/analysis.ts';
import { analyzeRoutineDefinition, analyzeStatements } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';

const SENSITIVE: SensitiveRelations = {
  version: '1',
  relations: [{ schema: 'public', name: 'customers', masked: ['email'], clear: ['id', 'name'] }],
};

function untraceable(text: string): string | undefined {
  const result = analyzeStatements(text, SENSITIVE);
  if (result.kind !== 'analysis') throw new Error(result.kind);
  return result.exposure?.untraceable;
}

t.before(() => loadParser());

t.test(
  'what opens a way around masks without naming a masked table is refused (PG-62, PG-80, PG-83)',
  (t) => {
    const doors = [
      'CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 1 $$',
      'CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
      'CREATE AGGREGATE public.max(varchar) (SFUNC = keep, STYPE = text)',
      'ALTER FUNCTION snoop(varchar) RENAME TO upper',
      'CREATE DOMAIN public.text AS varchar',
      'CREATE CAST (varchar AS int) WITH FUNCTION to_key(varchar) AS IMPLICIT',
      'ALTER SCHEMA public RENAME TO other',
      'ALTER TYPE person RENAME ATTRIBUTE email TO e2 CASCADE',
      `COPY sink FROM PROGRAM 'cat x'`,
      `CREATE FOREIGN TABLE ft (t text) SERVER s OPTIONS (table_name 'customers')`,
      `ALTER FOREIGN TABLE ft OPTIONS (SET table_name 'customers')`,
      `DO $$ BEGIN CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy); END $$`,
    ];
    for (const text of doors) t.type(untraceable(text), 'string', text);
    t.end();
  },
);

t.test('the like of it that has nothing to do with masks is not', (t) => {
  const harmless = [
    'CREATE FUNCTION mine(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 1 $$',
    'CREATE OPERATOR ##+ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)',
    'CREATE DOMAIN zip AS varchar',
    'ALTER SCHEMA other RENAME TO another',
    'ALTER TYPE person RENAME ATTRIBUTE street TO road',
    'ALTER FUNCTION mine(varchar) RENAME TO ours',
    'COPY sink FROM STDIN',
  ];
  for (const text of harmless) t.equal(untraceable(text), undefined, text);
  t.end();
});

t.test('a routine that is there may have any name', (t) => {
  const definition =
    'CREATE OR REPLACE FUNCTION public.replace(a citext, b text) RETURNS text LANGUAGE sql AS $$ SELECT $2 $$';
  const result = analyzeRoutineDefinition('sql', definition, SENSITIVE);
  t.equal(result.kind === 'analysis' ? result.exposure?.untraceable : 'refused', undefined);
  t.end();
});

t.test('a row variable with a default hides what it calls, so it is unknown (PG-61)', (t) => {
  const isUnknown = (declaration: string): boolean => {
    const result = analyzeStatements(
      `DO $$ ${declaration} BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END $$`,
    );
    return result.kind === 'analysis' && result.effects.some(({ effect }) => effect === 'unknown');
  };
  for (const text of [
    'DECLARE r record := f();',
    'DECLARE r watched.pair = f();',
    'DECLARE r record DEFAULT f();',
    'DECLARE r /* ; */ record := f();',
    'DECLARE x int; r record\n := f();',
    'DECLARE r\nrecord\n:= f();',
    '<<x>> DECLARE r record := f();',
  ]) {
    t.ok(isUnknown(text), text);
  }
  for (const text of [
    'DECLARE r record;',
    'DECLARE x int := 1; r record;',
    'DECLARE\n  r record;\n  x int = 2;',
    'DECLARE r customers%ROWTYPE;',
  ]) {
    t.notOk(isUnknown(text), text);
  }
  t.end();
});
