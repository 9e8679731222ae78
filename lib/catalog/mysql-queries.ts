/**
 * The text of every query that the gateway asks a MySQL or MariaDB server's catalog. They read
 * information_schema, which shows a user what it has some privilege on and nothing else; each column
 * has a name of its own, because servers differ in the case of theirs.
 */

/** Texts above this are not read: they count as unreadable. Characters. */
export const DEFINITION_LENGTH_MAX = 1024 * 1024;

const definition = (column: string): string =>
  `IF(CHAR_LENGTH(${column}) > ${DEFINITION_LENGTH_MAX}, NULL, ${column})`;

export const SERVER = `SELECT VERSION() AS version, @@lower_case_table_names AS name_case,
  @@version_comment AS comment, @@GLOBAL.sql_mode AS modes`;

/** Statements that may change a definition or who may see it, as the server's counters name them. */
const CHANGES =
  'create alter drop rename grant revoke install uninstall import set_role set_default_role';

/**
 * Their counts, when the counting began, and how often somebody looked. Temporary tables are counted
 * apart in MariaDB, and left out: no side connection sees them. By LIKE: Dolt's engine takes ten seconds
 * for as many regular expressions.
 */
export const CHANGE_COUNTERS = `SHOW GLOBAL STATUS WHERE (${CHANGES.split(' ')
  .map((name) => `Variable_name LIKE 'Com_${name}%'`)
  .join(' OR ')}) AND Variable_name NOT LIKE '%_temporary_table'
  OR Variable_name IN ('Uptime', 'Com_show_status')`;

export const SCHEMAS = `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA ORDER BY 1`;

export const TABLES = `SELECT TABLE_SCHEMA AS \`schema\`, TABLE_NAME AS name, TABLE_TYPE AS type
  FROM information_schema.TABLES ORDER BY 1, 2`;

/** A default is read only where it may name another column: those stand in backticks. */
export const COLUMNS = `SELECT TABLE_SCHEMA AS \`schema\`, TABLE_NAME AS \`table\`, COLUMN_NAME AS name,
  ORDINAL_POSITION AS position, EXTRA AS extra, ${definition('GENERATION_EXPRESSION')} AS expression,
  IF(COLUMN_DEFAULT LIKE '%\`%', ${definition('COLUMN_DEFAULT')}, NULL) AS default_expression
  FROM information_schema.COLUMNS ORDER BY 1, 2, 4`;

export const VIEWS = `SELECT TABLE_SCHEMA AS \`schema\`, TABLE_NAME AS name,
  ${definition('VIEW_DEFINITION')} AS definition
  FROM information_schema.VIEWS ORDER BY 1, 2`;

export const ROUTINES = `SELECT ROUTINE_SCHEMA AS \`schema\`, SPECIFIC_NAME AS name, ROUTINE_TYPE AS type,
  ROUTINE_BODY AS language, ${definition('ROUTINE_DEFINITION')} AS definition, SQL_MODE AS modes
  FROM information_schema.ROUTINES ORDER BY 1, 2, 3`;

export const PARAMETERS = `SELECT SPECIFIC_SCHEMA AS \`schema\`, SPECIFIC_NAME AS name,
  ROUTINE_TYPE AS type, ORDINAL_POSITION AS position, PARAMETER_MODE AS mode,
  PARAMETER_NAME AS parameter, DTD_IDENTIFIER AS data_type
  FROM information_schema.PARAMETERS ORDER BY 1, 2, 3, 4`;

export const TRIGGERS = `SELECT EVENT_OBJECT_SCHEMA AS \`schema\`, EVENT_OBJECT_TABLE AS \`table\`,
  TRIGGER_NAME AS name, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event,
  ${definition('ACTION_STATEMENT')} AS definition, SQL_MODE AS modes
  FROM information_schema.TRIGGERS ORDER BY 1, 2, 3`;

/** Only those that change rows: a key that restricts reaches nothing. */
export const CASCADES = `SELECT CONSTRAINT_SCHEMA AS \`schema\`, TABLE_NAME AS \`table\`,
  UNIQUE_CONSTRAINT_SCHEMA AS referenced_schema, REFERENCED_TABLE_NAME AS referenced_table,
  DELETE_RULE AS on_delete
  FROM information_schema.REFERENTIAL_CONSTRAINTS
  WHERE UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')
  ORDER BY 1, 2, 3, 4`;

/** Functions of loaded libraries (UDFs): their code cannot be read. The first that works is taken. */
export const LOADABLE_FUNCTIONS: readonly string[] = [
  'SELECT name FROM mysql.func ORDER BY 1',
  'SELECT UDF_NAME AS name FROM performance_schema.user_defined_functions ORDER BY 1',
];
