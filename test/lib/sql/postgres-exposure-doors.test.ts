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

t.test('what is known by its name keeps it, and works under no other (PG-82)', (t) => {
  const doors = [
    'ALTER FUNCTION other.get_raw_page(text, int8) RENAME TO page',
    'ALTER FUNCTION pg_catalog.lo_get(oid) RENAME TO content',
    'CREATE OPERATOR @@@ (RIGHTARG = text, FUNCTION = pg_read_file)',
    'CREATE AGGREGATE agg (tsquery, text) (SFUNC = ts_rewrite, STYPE = tsquery)',
  ];
  for (const text of doors) t.type(untraceable(text), 'string', text);
  t.end();
});

t.test(
  'large objects are shown to nobody, as no column says whose values they hold (PG-82)',
  (t) => {
    for (const text of ['SELECT lo_get(777)', 'SELECT loread(lo_open(777, 262144), 100)'])
      t.type(untraceable(text), 'string', text);
    t.equal(untraceable('SELECT lo_creat(-1)'), undefined);
    t.end();
  },
);

t.test('every part of IS JSON is understood', (t) => {
  for (const text of ['SELECT name IS JSON FROM t', 'SELECT 1 WHERE $1 IS NOT JSON OBJECT']) {
    const result = analyzeStatements(text);
    const effects = result.kind === 'analysis' ? result.effects : [];
    t.notOk(
      effects.some(({ effect }) => effect === 'unknown'),
      text,
    );
  }
  t.end();
});

t.test('a new check or type may not be given values of a masked column (PG-62, PG-80)', (t) => {
  const doors = [
    'ALTER DOMAIN secret ADD CONSTRAINT c CHECK (see(VALUE))',
    'ALTER DOMAIN secret ADD CHECK (lower(VALUE) ~~~ $$x$$) NOT VALID',
    'ALTER DOMAIN secret ADD CHECK (VALUE::int > 0)',
    'ALTER DOMAIN secret ADD CHECK (mine.lower(VALUE) <> $$$$)',
    'ALTER TYPE person ALTER ATTRIBUTE email TYPE checked CASCADE',
  ];
  for (const text of doors) t.type(untraceable(text), 'string', text);
  const harmless = [
    'ALTER DOMAIN zip ADD CHECK (length(VALUE) = 5 AND VALUE > $$0$$::text)',
    'ALTER DOMAIN zip SET NOT NULL',
    'ALTER TYPE person ALTER ATTRIBUTE street TYPE varchar CASCADE',
  ];
  for (const text of harmless) t.equal(untraceable(text), undefined, text);
  t.end();
});

t.test('a body may not fetch from a cursor that somebody else opened (PG-39)', (t) => {
  const body = (declare: string, code: string): string =>
    `DO $$ DECLARE t text; ${declare} BEGIN ${code} FETCH c INTO t; END $$`;
  const doors = [
    body(`c refcursor := 'theirs';`, ''),
    body('c refcursor;', `c := 'theirs';`),
    body('c refcursor;', `SELECT 'theirs' INTO c;`),
    body('c refcursor;', 'CALL name_it(c);'),
    body('c refcursor;', 'GET DIAGNOSTICS c = PG_CONTEXT;'),
    body('c CURSOR FOR SELECT 1;', `c := 'theirs';`),
    `CREATE FUNCTION f(c refcursor) RETURNS text LANGUAGE plpgsql AS
      $$ DECLARE t text; BEGIN FETCH c INTO t; RETURN t; END $$`,
    `CREATE FUNCTION f(int, refcursor) RETURNS text LANGUAGE plpgsql AS
      $$ DECLARE t text; c ALIAS FOR $2; BEGIN FETCH c INTO t; RETURN t; END $$`,
  ];
  for (const text of doors) t.type(untraceable(text), 'string', text);
  const harmless = [
    body('c CURSOR FOR SELECT 1;', 'OPEN c;'),
    body('c refcursor;', 'OPEN c FOR SELECT 1;'),
    `DO $$ DECLARE c refcursor := 'theirs'; BEGIN MOVE c; CLOSE c; END $$`,
  ];
  for (const text of harmless) t.equal(untraceable(text), undefined, text);
  t.end();
});

t.test('what runs the code of any table counts as touching masked ones (PG-81)', (t) => {
  for (const text of [
    'ANALYZE',
    'VACUUM FULL',
    'REINDEX DATABASE lab',
    'REINDEX INDEX i',
    'CLUSTER',
  ]) {
    const result = analyzeStatements(text, SENSITIVE);
    t.equal(result.kind === 'analysis' && result.exposure?.touches, true, text);
    t.equal(untraceable(text), undefined, text);
  }
  t.end();
});

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
