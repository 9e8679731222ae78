import t from 'tap';
import {
  ANY_READING,
  analyzeRoutineDefinition,
  analyzeViewDefinition,
} from '../../../../lib/sql/mysql/analysis.ts';
import { analysisOf, analyze, effectsOf, hazardsOf, MARIADB, MYSQL } from './analyze.ts';
import { FORMS, HAZARDS, STARTUPS } from './effect-cases.ts';
import './effects-red-team-cases.ts';

function isThere(effects: readonly string[], wanted: string): boolean {
  return effects.some((effect) => effect === wanted || effect.startsWith(`${wanted}:`));
}

for (const [trap, text, wanted] of FORMS) {
  t.test(`${trap}: ${text}`, async (t) => {
    const effects = effectsOf(text);
    for (const word of wanted.split(' ')) {
      const isForbidden = word.startsWith('!');
      const effect = isForbidden ? word.slice(1) : word;
      t.equal(isThere(effects, effect), !isForbidden, `${word} in ${effects.join(' ')}`);
    }
  });
}

t.test('start-up statements and dumps are no hazard', async (t) => {
  for (const text of STARTUPS) {
    t.same(hazardsOf(text, MARIADB), [], text);
    t.same(hazardsOf(text, MYSQL), [], text);
  }
});

t.test('what changes how texts are read is a hazard (MY-61, MY-62, MY-65)', async (t) => {
  for (const text of HAZARDS) t.not(hazardsOf(text).length, 0, text);
});

t.test('ANSI_QUOTES that nobody knows: what holds in one reading holds', async (t) => {
  const text = 'DELETE FROM t WHERE a = "x" /* ; */ AND "b" = 1';
  t.same(effectsOf(text, MYSQL), effectsOf(text));
  // A string in one reading, and a second statement in the other.
  const hidden = 'SELECT "a\\"; DROP TABLE users; -- "';
  t.ok(effectsOf(hidden, MYSQL).includes('drop:users'));
  t.equal(analysisOf(hidden, MYSQL).statements.length, 2);
  t.notOk(effectsOf(hidden, { ...MYSQL, ansiQuotes: false }).includes('drop:users'));
  t.equal(analysisOf('SELECT "a"', MYSQL).isShapeStable, false);
});

t.test('NO_BACKSLASH_ESCAPES ends a string at its quote', async (t) => {
  const text = "SELECT 'a\\'; DROP TABLE users -- '";
  t.ok(effectsOf(text, { ...MARIADB, noBackslashEscapes: true }).includes('drop:users'));
  t.notOk(effectsOf(text).includes('drop:users'));
});

t.test('version comments on MySQL follow its version (MY-38)', async (t) => {
  t.ok(effectsOf('/*!80036 DROP TABLE users */', MYSQL).includes('drop:users'));
  t.ok(effectsOf('/*!50701 DROP TABLE users */', MYSQL).includes('drop:users'));
  t.same(effectsOf('/*!80037 DROP TABLE users */', MYSQL), []);
  t.same(effectsOf('/*M! DROP TABLE users */', MYSQL), []);
  // Six digits are one number or five and a digit of code, by release: both are judged.
  t.ok(effectsOf('SELECT 1 /*!099999 ; DROP TABLE users */', MYSQL).includes('read'));
  t.ok(effectsOf('/*!080036 DROP TABLE users */', MYSQL).includes('drop:users'));
});

t.test('names without a database have the default one, and none where there is none', async (t) => {
  const [effect] = analysisOf('SELECT a FROM t').effects;
  t.equal(effect?.object?.schema, 'app');
  const [other] = analysisOf('SELECT a FROM t', { ...MARIADB, database: undefined }).effects;
  t.equal(other?.object?.schema, undefined);
});

t.test('functions of the server are told from stored ones (MY-46)', async (t) => {
  const names = (text: string, reading = MARIADB): readonly string[] =>
    analysisOf(text, reading).functions.map(({ schema, name }) => `${schema}.${name}`);
  t.same(names('SELECT count(*), abs(a), now(), IF(a, b, c), x.y FROM t'), []);
  t.same(names('SELECT f(a) FROM t'), ['app.f']);
  // White space makes it another function, unless IGNORE_SPACE is on.
  t.same(names('SELECT sum (a) FROM t'), ['app.sum']);
  t.same(names('SELECT abs (a) FROM t'), []);
  t.same(names('SELECT `count`(a) FROM t'), ['app.count']);
  // A schema, or a package in the default database.
  t.same(names('SELECT s.f(a) FROM t'), ['s.f', 'app.s']);
  t.same(names('CALL s.p(f(1))'), ['s.p', 'app.s', 'app.f']);
  // What only the other server brings along may be anybody's.
  t.same(names('SELECT uuid_to_bin(a) FROM t'), ['app.uuid_to_bin']);
  t.same(names('SELECT uuid_to_bin(a) FROM t', MYSQL), []);
  t.same(names('SELECT a FROM t PROCEDURE ANALYSE()'), []);
});

t.test('a renamed table takes its triggers along', async (t) => {
  const { takenOver } = analysisOf('RENAME TABLE a TO b');
  t.same(
    takenOver.map(({ name }) => name),
    ['a'],
  );
});

t.test('a shape is stable only where no literal means anything', async (t) => {
  const isStable = (text: string): boolean => analysisOf(text).isShapeStable;
  t.ok(isStable("SELECT a FROM t WHERE b = 'x' LIMIT 5"));
  t.ok(isStable("INSERT INTO t VALUES (1, 'a')"));
  t.ok(isStable('SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)'));
  // Ordinals, names that are literals, and literals that become names of columns.
  t.notOk(isStable('SELECT a, b FROM t ORDER BY 1'));
  t.notOk(isStable("SELECT b FROM (SELECT a AS 'b' FROM t) AS d"));
  t.notOk(isStable("SELECT x FROM (SELECT 'x') AS d"));
  t.notOk(isStable('WITH d AS (SELECT 1) SELECT * FROM d'));
  t.notOk(isStable('SELECT 1, a FROM t GROUP BY a'));
  t.notOk(isStable("SELECT a FROM t INTO OUTFILE 'x'"));
  t.notOk(isStable("SELECT LOAD_FILE('x')"));
  t.notOk(isStable('SET @a = 1'));
  t.notOk(isStable(''));
});

t.test('an empty text has no statements', async (t) => {
  for (const text of ['', ';', ' ; ', '-- x', '/* x */', '/*!99999 x */'])
    t.same(analysisOf(text).statements, [], text);
  t.same(analysisOf('SELECT 1; DELETE FROM t;').statements, ['SelectStmt', 'DeleteStmt']);
});

t.test('a syntax error says where it is, in characters', async (t) => {
  const result = analyze("SELECT '😀', FROM t");
  t.match(result, { kind: 'syntax-error', position: 13 });
});

t.test('the definition of a routine gives the effects of calling it', async (t) => {
  const read = (definition: string, language = 'sql'): readonly string[] => {
    const context = { sensitive: undefined, reading: MARIADB };
    const result = analyzeRoutineDefinition(language, definition, context);
    return result.kind === 'analysis'
      ? result.effects.map(({ effect, object }) => `${effect}:${object?.name ?? ''}`)
      : [result.kind];
  };
  const body = 'BEGIN DECLARE x int; DELETE FROM t; SET x = f(1); RETURN x; END';
  t.same(read(`CREATE FUNCTION \`app\`.\`f\`(\`a\` int) RETURNS int\n${body}`), [
    'delete:t',
    'session:',
  ]);
  t.same(read('CREATE PROCEDURE p(IN `a` int) SELECT 1'), ['read:']);
  t.same(read('CREATE TRIGGER `a`.`b` BEFORE INSERT ON `a`.`t` FOR EACH ROW\nTRUNCATE u'), [
    'truncate:u',
  ]);
  t.ok(read('CREATE PROCEDURE p() SELECT 1', 'javascript').includes('unknown:'));
  t.same(read('SELECT 1'), ['refused']);
  t.same(read('CREATE PROCEDURE p() SELECT 1; SELECT 2'), ['refused']);
  t.same(read('CREATE PROCEDURE p('), ['syntax-error']);
});

t.test(
  'a routine that hides a USE in a text is a hazard for who calls it (MY-39, MY-63)',
  async (t) => {
    const hazards = (body: string): readonly string[] => {
      const context = { sensitive: undefined, reading: MARIADB };
      const result = analyzeRoutineDefinition('sql', `CREATE PROCEDURE p() ${body}`, context);
      return result.kind === 'analysis' ? result.lexerHazards : [result.kind];
    };
    for (const body of [
      "EXECUTE IMMEDIATE 'USE shop'",
      "EXECUTE IMMEDIATE 'u' 'se shop'",
      "PREPARE s FROM 'USE shop'",
      "BEGIN EXECUTE IMMEDIATE 'USE shop'; END",
    ])
      t.match(hazards(body), [/^USE beside PREPARE/], body);
    t.same(hazards("EXECUTE IMMEDIATE 'SELECT 1'"), []);
  },
);

t.test('a view that cannot be read is told as that', async (t) => {
  const sensitive = { version: '1', relations: [] };
  t.equal(analyzeViewDefinition('SELECT FROM', sensitive), undefined);
  t.equal(analyzeViewDefinition('SELECT 1; SELECT 2', sensitive), undefined);
  t.equal(analyzeViewDefinition('select 1 AS `a`', sensitive)?.length, 1);
  t.equal(ANY_READING.ansiQuotes, false);
});

t.test('a server that only speaks the protocol runs every version comment (MY-38)', async (t) => {
  const lookalike = { ...MYSQL, server: { ...MYSQL.server, isLookalike: true } };
  const hidden = 'SELECT 1 /*!99999 ; DELETE FROM t */';
  t.notOk(isThere(effectsOf(hidden, MYSQL), 'delete'), 'MySQL 8.0.36 does not');
  t.ok(isThere(effectsOf(hidden, lookalike), 'delete'));
  t.same(effectsOf('/*!50003 SELECT a FROM t */', lookalike), effectsOf('SELECT a FROM t'));
  t.same(hazardsOf("/*!40103 SET TIME_ZONE='+00:00' */", lookalike), []);
});

t.test('what its lexer may read otherwise is refused in all ways to read it', async (t) => {
  const lookalike = { ...MYSQL, server: { ...MYSQL.server, isLookalike: true } };
  const unsure = [
    'SELECT 1 /*!50000 -- */ ; DELETE FROM t; -- \n*/',
    "SELECT 1 /*!50000 , '*/; DELETE FROM t -- ' */",
    "SELECT 1 /*!50000 , '\\\\' */",
    'SELECT /*!123 + 1 */',
    'SELECT 1 /*T! ; DELETE FROM t */',
    "SELECT 1 --'\n; DELETE FROM t; -- '",
    "SELECT 1 //'\n; DELETE FROM t; -- '",
    // The error of one reading must not leave the other one alone.
    'SELECT "a" "/*!50000 -- */ ; DELETE FROM t; -- "\n*/',
    "PREPARE s FROM 'DELETE /*!50000 -- */ FROM t'",
  ];
  for (const text of unsure) {
    const result = analyze(text, lookalike);
    const isJudged = result.kind === 'analysis' && !isThere(effectsOf(text, lookalike), 'delete');
    t.notOk(isJudged, text);
  }
  for (const text of ["SELECT 'a--b', 'http://x' -- end", 'SELECT 1 - - 1', 'SELECT 8 / 2 # end'])
    t.equal(analyze(text, lookalike).kind, 'analysis', text);
});
