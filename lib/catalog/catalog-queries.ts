/**
 * The text of every query that the gateway asks a server's catalog, for PostgreSQL 13 to 18. All
 * names are qualified and search_path is empty, so that nothing a user defines is ever called
 * (CVE-2018-1058); the operators are pg_catalog's for the same reason.
 */

/** System objects have smaller oids (FirstNormalObjectId in PostgreSQL's access/transam.h). */
export const FIRST_USER_OID = 16384;

/** A view, rule or routine text above this is not read: it counts as unreadable. Bytes. */
export const DEFINITION_SIZE_MAX = 1024 * 1024;

/**
 * Rows change their xmin whenever they are written, so (key, xmin) hashed over the tables that a
 * snapshot is made of changes with every definition: CREATE OR REPLACE VIEW rewrites pg_rewrite,
 * RENAME COLUMN writes pg_attribute, ALTER ... SET SCHEMA pg_class. VACUUM and ANALYZE write in place
 * and keep xmin. The xmin is the seed of the key's 64-bit hash; the sum of a bigint is a numeric, so
 * that neither order nor overflow matters.
 */
function hashOf(table: string, key: string, where = ''): string {
  return `(SELECT pg_catalog.count(*)::text || ':' || coalesce(pg_catalog.sum(
    pg_catalog.hashint8extended(${key}, xmin::text::bigint)), 0)::text
    FROM pg_catalog.${table} ${where})`;
}

const USERS_OWN = `WHERE oid >= ${FIRST_USER_OID}`;

export const FINGERPRINT = `SELECT pg_catalog.concat_ws(' ',
  ${hashOf('pg_namespace', 'oid::bigint')},
  ${hashOf('pg_class', 'oid::bigint')},
  ${hashOf('pg_attribute', 'attrelid::bigint * 65536 + attnum', `WHERE attnum > 0 AND attrelid >= ${FIRST_USER_OID}`)},
  ${hashOf('pg_attrdef', 'oid::bigint')},
  ${hashOf('pg_rewrite', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_inherits', 'inhrelid::bigint * 4294967296 + inhparent::bigint')},
  ${hashOf('pg_proc', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_aggregate', 'aggfnoid::oid::bigint', `WHERE aggfnoid::oid >= ${FIRST_USER_OID}`)},
  ${hashOf('pg_operator', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_constraint', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_policy', 'oid::bigint')},
  ${hashOf('pg_trigger', 'oid::bigint')},
  ${hashOf('pg_event_trigger', 'oid::bigint')},
  ${hashOf('pg_type', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_cast', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_amproc', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_amop', 'oid::bigint', USERS_OWN)},
  ${hashOf('pg_db_role_setting', 'setdatabase::bigint * 4294967296 + setrole::bigint')},
  (SELECT g.reset_val FROM pg_catalog.pg_settings g WHERE g.name = 'search_path')
) AS fingerprint`;

/** Everything that has columns a query can read: S (sequences) and t (TOAST) are read by name as well. */
const READABLE_KINDS = `('r', 'p', 'v', 'm', 'f', 'S', 't')`;

export const RELATIONS = `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ${READABLE_KINDS}
  ORDER BY c.oid LIMIT $1`;

export const COLUMNS = `SELECT a.attrelid AS relation, a.attnum AS attribute, a.attname AS name,
    a.atttypid AS type
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ${READABLE_KINDS}
  ORDER BY a.attrelid, a.attnum LIMIT $1`;

/** Var nodes of the expression tree: the columns of its own row, 0 for the whole row. */
export const GENERATED_COLUMNS = `SELECT d.adrelid AS relation, d.adnum AS attribute,
    v.number[1]::int AS source
  FROM pg_catalog.pg_attrdef d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  CROSS JOIN LATERAL pg_catalog.regexp_matches(d.adbin::text, ':varattno (-?[0-9]+)', 'g') AS v(number)
  WHERE a.attgenerated <> '' AND d.adrelid >= ${FIRST_USER_OID} LIMIT $1`;

export const PARENTS = `SELECT i.inhrelid AS child, i.inhparent AS parent
  FROM pg_catalog.pg_inherits i LIMIT $1`;

/**
 * The relations in a view's range tables, at any depth. pg_depend would be easier to read, but it
 * does not list system relations, and a view over pg_stats must be seen (PG-82). The second half is
 * the table that a TOAST table belongs to.
 */
export const READS = `SELECT DISTINCT r.ev_class AS reader, t.relid[1]::oid AS source
  FROM pg_catalog.pg_rewrite r
  CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::text, ':relid ([0-9]+)', 'g') AS t(relid)
  WHERE r.rulename = '_RETURN' AND r.ev_class >= ${FIRST_USER_OID}
    AND t.relid[1]::oid <> r.ev_class AND t.relid[1] <> '0'
  UNION ALL
  SELECT c.reltoastrelid, c.oid FROM pg_catalog.pg_class c WHERE c.reltoastrelid <> 0
  LIMIT $1`;

/** Languages whose routines have no readable body: their text names a symbol in a library. */
const COMPILED = `SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname IN ('internal', 'c')`;

/**
 * pg_catalog has a function with the same name and arguments, so that this one is never found without
 * its schema. Not true of one that can be called with more, fewer or named arguments (PG-72).
 */
const IS_SHADOWED = `(p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND p.prokind <> 'p'
    AND p.pronargdefaults = 0 AND p.provariadic = 0 AND p.proargnames IS NULL
    AND EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.proname = p.proname
      AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND b.prokind <> 'p'
      AND b.proargtypes = p.proargtypes)) AS shadowed`;

/** A session may begin with a search_path in which pg_catalog stands behind another schema. */
export const LATE_SEARCH_PATHS = `SELECT s.value FROM (
    SELECT pg_catalog.substr(c.setting, 13) AS value
    FROM pg_catalog.pg_db_role_setting d
    CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS c(setting)
    WHERE pg_catalog.lower(c.setting) LIKE 'search_path=%'
    UNION ALL
    SELECT g.reset_val FROM pg_catalog.pg_settings g WHERE g.name = 'search_path') s
  WHERE s.value ~* 'pg_catalog' AND s.value !~* '^\\s*pg_catalog\\s*(,|$)' LIMIT $1`;

export const SCHEMAS = `SELECT n.nspname AS name FROM pg_catalog.pg_namespace n LIMIT $1`;

export const ROUTINES = `SELECT p.oid, n.nspname AS schema, p.proname AS name, l.lanname AS language,
    ${IS_SHADOWED}
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE p.prokind IN ('f', 'p', 'w') AND p.prolang NOT IN (${COMPILED})
  ORDER BY p.oid LIMIT $1`;

/** The support functions of aggregates: calling the aggregate runs them. */
export const AGGREGATE_ROUTINES = `SELECT p.oid AS aggregate, n.nspname AS schema, p.proname AS name,
    s.oid AS routine, ${IS_SHADOWED}
  FROM pg_catalog.pg_aggregate g
  JOIN pg_catalog.pg_proc p ON p.oid = g.aggfnoid::oid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_proc s ON s.oid = ANY (ARRAY[g.aggtransfn, g.aggfinalfn, g.aggcombinefn,
    g.aggserialfn, g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn]::oid[])
  WHERE s.prolang NOT IN (${COMPILED}) LIMIT $1`;

export const OPERATOR_ROUTINES = `SELECT o.oid AS operator, n.nspname AS schema, o.oprname AS name,
    p.oid AS routine, (o.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace
      AND EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oprname = o.oprname
        AND b.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace
        AND b.oprleft = o.oprleft AND b.oprright = o.oprright)) AS shadowed
  FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode::oid
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  WHERE p.prolang NOT IN (${COMPILED}) LIMIT $1`;

/** What a view's definition calls: functions, aggregates, and operators by their own oid. */
export const VIEW_CALLS = `SELECT DISTINCT r.ev_class AS view, d.refobjid AS callee
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.objid = r.oid
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
  WHERE r.rulename = '_RETURN' AND r.ev_class >= ${FIRST_USER_OID} LIMIT $1`;

export const VIEW_DEFINITIONS = `SELECT d.oid, CASE
    WHEN pg_catalog.octet_length(d.definition) <= ${DEFINITION_SIZE_MAX} THEN d.definition END AS definition
  FROM (SELECT v.oid, pg_catalog.pg_get_viewdef(v.oid) AS definition
    FROM pg_catalog.unnest($1::oid[]) AS v(oid) OFFSET 0) d`;

export const ROUTINE_DEFINITIONS = `SELECT d.oid, CASE
    WHEN pg_catalog.octet_length(d.definition) <= ${DEFINITION_SIZE_MAX} THEN d.definition END AS definition
  FROM (SELECT r.oid, pg_catalog.pg_get_functiondef(r.oid) AS definition
    FROM pg_catalog.unnest($1::oid[]) AS r(oid) OFFSET 0) d`;
