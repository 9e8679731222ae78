import t from 'tap';
import { isBuiltinFunction, isSpaceSensitive } from '../../../../lib/sql/mysql/builtins.ts';
import { mariadbMissing, startMariadb } from '../../../support/mariadb-server.ts';

const MARIADB = { flavor: 'mariadb', version: 101_119 } as const;
const MYSQL = { flavor: 'mysql', version: 80_036 } as const;

t.test('a name counts only on servers that have it', async (t) => {
  t.ok(isBuiltinFunction('abs'));
  t.ok(isBuiltinFunction('abs', MARIADB));
  t.ok(isBuiltinFunction('nvl', MARIADB));
  t.notOk(isBuiltinFunction('nvl', MYSQL));
  t.ok(isBuiltinFunction('uuid_to_bin', MYSQL));
  t.notOk(isBuiltinFunction('uuid_to_bin', { flavor: 'mysql', version: 50_744 }));
  t.notOk(isBuiltinFunction('uuid_v7', MARIADB));
  t.notOk(isBuiltinFunction('purge'));
});

/** Names that the server lists or has a help page for; what is none of its functions says so when called. */
const NAMES = `SELECT LOWER(function) FROM information_schema.sql_functions
  UNION SELECT LOWER(word) FROM information_schema.keywords
  UNION SELECT LOWER(name) FROM mysql.help_topic`;
const NO_FUNCTION = /ERROR (?:1305|1630) /;
const NO_SYNTAX = /ERROR 1064 /;
/** Words that can stand before a parenthesis in SELECT without being a function. */
const NO_CALLS = new Set('all distinct distinctrow exists not row select sql_no_cache'.split(' '));

t.test('a real MariaDB brings along no other', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql('CREATE DATABASE app');
  const [version = '10.11.0'] = (await server.sql('SELECT version()')).split('-');
  const [major = 10, minor = 11, patch = 0] = version.split('.').map(Number);
  const here = { flavor: 'mariadb', version: major * 10_000 + minor * 100 + patch } as const;
  const names = (await server.sql(NAMES))
    .split('\n')
    .filter((name) => /^[a-z][a-z0-9_]*$/.test(name));
  t.ok(names.length > 500);
  const tried = names.filter(
    (name) => !NO_CALLS.has(name) && !/^(?:high_priority|straight_join|sql_)/.test(name),
  );
  const errors = await server
    .sql(
      tried
        .map((name) => `CALL app.try('${name}');`)
        .join('\n')
        .replace(/^/, TRY),
    )
    .then((output) =>
      output
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
    );
  const missing = errors.flatMap(([name = '', error = '']) => {
    const isFunction = !NO_FUNCTION.test(`ERROR ${error} `) && !NO_SYNTAX.test(`ERROR ${error} `);
    return isFunction && !isBuiltinFunction(name, here) ? [name] : [];
  });
  t.same(missing, [], 'functions that are not in the list');
  const spaced = errors.flatMap(([name = '', plain = '', error = '']) =>
    !NO_FUNCTION.test(`ERROR ${plain} `) &&
    NO_FUNCTION.test(`ERROR ${error} `) &&
    isBuiltinFunction(name, here) &&
    !isSpaceSensitive(name)
      ? [name]
      : [],
  );
  t.same(spaced, [], 'functions that white space makes another one');
});

/** Gives the errors of calling a function with one argument, without and with white space. */
const TRY = `DELIMITER //
CREATE PROCEDURE app.attempt(IN statement TEXT, OUT error INT)
BEGIN
  DECLARE CONTINUE HANDLER FOR SQLEXCEPTION GET DIAGNOSTICS CONDITION 1 error = MYSQL_ERRNO;
  SET error = 0;
  EXECUTE IMMEDIATE statement;
END //
CREATE PROCEDURE app.try(IN name TEXT)
BEGIN
  DECLARE plain, spaced INT;
  CALL app.attempt(CONCAT('SET @x = ', name, '(1)'), plain);
  CALL app.attempt(CONCAT('SET @x = ', name, ' (1)'), spaced);
  SELECT name, plain, spaced;
END //
DELIMITER ;
`;
