/**
 * Queries for the code that runs without being named in a statement (PG-62): what relations and types
 * call by their definitions, as pg_depend tells. `callee` is a routine, an aggregate, an operator or
 * a type. Names are qualified for the same reason as in catalog-queries.ts.
 */

import { DEFINITION_SIZE_MAX, FIRST_USER_OID } from './catalog-queries.ts';

const CALLEES = `d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
  'pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)
  AND d.refobjid >= ${FIRST_USER_OID}`;

function dependsOf(table: string): string {
  return `pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${table}'::pg_catalog.regclass`;
}

export const POLICY_CALLS = `SELECT DISTINCT p.polrelid AS relation, d.refobjid AS callee
  FROM pg_catalog.pg_policy p CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_policy')} AND d.objid = p.oid AND ${CALLEES}) d LIMIT $1`;

/** A view may cast to a domain, whose check is then a dependency of the type alone. */
export const VIEW_TYPES = `SELECT DISTINCT r.ev_class AS relation, d.refobjid AS callee
  FROM pg_catalog.pg_rewrite r CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_rewrite')} AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
      AND d.refobjid >= ${FIRST_USER_OID}) d
  WHERE r.ev_class >= ${FIRST_USER_OID} LIMIT $1`;

/**
 * Defaults and generated columns; checks and exclusion constraints; index expressions, predicates and
 * partition keys (both are dependencies of the pg_class entry); support functions of the operator
 * classes that indexes and partition keys use.
 */
export const WRITE_CALLS = `SELECT a.adrelid AS relation, d.refobjid AS callee
  FROM pg_catalog.pg_attrdef a CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_attrdef')} AND d.objid = a.oid AND ${CALLEES}) d
  UNION SELECT c.conrelid, d.refobjid
  FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_constraint')} AND d.objid = c.oid AND ${CALLEES}) d
  WHERE c.conrelid <> 0
  UNION SELECT i.indrelid, d.refobjid
  FROM pg_catalog.pg_index i CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_class')} AND d.objid = i.indexrelid AND ${CALLEES}) d
  UNION SELECT t.partrelid, d.refobjid
  FROM pg_catalog.pg_partitioned_table t CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_class')} AND d.objid = t.partrelid AND ${CALLEES}) d
  UNION SELECT u.relation, s.amproc::oid
  FROM (SELECT i.indrelid AS relation, pg_catalog.unnest(i.indclass) AS class FROM pg_catalog.pg_index i
    UNION SELECT t.partrelid, pg_catalog.unnest(t.partclass) FROM pg_catalog.pg_partitioned_table t) u
  JOIN pg_catalog.pg_opclass o ON o.oid = u.class
  JOIN pg_catalog.pg_amproc s ON s.amprocfamily = o.opcfamily
  WHERE s.amproc::oid >= ${FIRST_USER_OID}
  LIMIT $1`;

/** Disabled ones too: a transaction may enable them before this is read again. */
export const TRIGGERS = `SELECT DISTINCT t.tgrelid AS relation, t.tgfoid AS callee
  FROM pg_catalog.pg_trigger t WHERE t.tgfoid >= ${FIRST_USER_OID} LIMIT $1`;

/**
 * All of them with every DDL statement: what fires one depends on events, on command tags and, for those
 * of an extension's script, on a text that nobody has read. Login triggers run before the first statement.
 */
export const EVENT_TRIGGERS = `SELECT DISTINCT e.evtfoid AS callee FROM pg_catalog.pg_event_trigger e
  WHERE e.evtfoid >= ${FIRST_USER_OID} AND e.evtevent <> 'login' LIMIT $1`;

/** System views have rules that matter as well: an UPDATE of pg_settings is a SET. */
export const RULES = `SELECT r.oid, r.ev_class AS relation, r.rulename AS name
  FROM pg_catalog.pg_rewrite r WHERE r.rulename <> '_RETURN' LIMIT $1`;

export const RULE_DEFINITIONS = `SELECT d.oid, CASE
    WHEN pg_catalog.octet_length(d.definition) <= ${DEFINITION_SIZE_MAX} THEN d.definition END AS definition
  FROM (SELECT r.oid, pg_catalog.pg_get_ruledef(r.oid) AS definition
    FROM pg_catalog.unnest($1::oid[]) AS r(oid) OFFSET 0) d`;

/** CASCADE, SET NULL and SET DEFAULT change the rows of the table that refers. */
export const CASCADES = `SELECT DISTINCT c.confrelid AS relation, c.conrelid AS target,
    c.confdeltype = 'c' AS deletes
  FROM pg_catalog.pg_constraint c
  WHERE c.contype = 'f' AND (c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))
  LIMIT $1`;

/** User types, and those of pg_catalog that have a user's cast. Row types name their relation. */
export const TYPES = `SELECT t.oid, n.nspname AS schema, t.typname AS name, t.typrelid AS relation,
    t.typbasetype AS base, t.typelem AS element, coalesce(r.rngsubtype, 0) AS subtype,
    (t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace AND EXISTS (
      SELECT FROM pg_catalog.pg_type b WHERE b.typname = t.typname
        AND b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace)) AS shadowed
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
  WHERE t.oid >= ${FIRST_USER_OID} OR t.oid IN (SELECT pg_catalog.unnest(ARRAY[c.castsource, c.casttarget])
    FROM pg_catalog.pg_cast c WHERE c.castfunc >= ${FIRST_USER_OID})
  LIMIT $1`;

/** Composite types have columns as tables do, but are no relations that a query can read. */
export const COMPOSITE_COLUMNS = `SELECT a.attrelid AS relation, a.atttypid AS type
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped LIMIT $1`;

/**
 * Domain checks; casts, listed under the user's type of the two or under both where both are
 * built in; comparisons by operator classes; what makes ranges. A multirange has its range, a type, as
 * callee: its values are made of those.
 */
export const TYPE_CALLS = `SELECT c.contypid AS type, d.refobjid AS callee
  FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_constraint')} AND d.objid = c.oid AND ${CALLEES}) d
  WHERE c.contypid <> 0
  UNION SELECT t.type, c.castfunc
  FROM pg_catalog.pg_cast c
  CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[c.castsource, c.casttarget]) AS t(type)
  WHERE c.castfunc >= ${FIRST_USER_OID} AND (t.type >= ${FIRST_USER_OID}
    OR (c.castsource < ${FIRST_USER_OID} AND c.casttarget < ${FIRST_USER_OID}))
  UNION SELECT o.opcintype, s.amproc::oid
  FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_amproc s ON s.amprocfamily = o.opcfamily
  WHERE o.opcintype >= ${FIRST_USER_OID} AND s.amproc::oid >= ${FIRST_USER_OID}
  UNION SELECT o.opcintype, s.amopopr
  FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_amop s ON s.amopfamily = o.opcfamily
  WHERE o.opcintype >= ${FIRST_USER_OID} AND s.amopopr >= ${FIRST_USER_OID}
  UNION SELECT m.oid, d.refobjid
  FROM pg_catalog.pg_type m CROSS JOIN LATERAL (
    SELECT d.refobjid FROM ${dependsOf('pg_type')} AND d.objid = m.oid
      AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass) d
  WHERE m.typtype = 'm' AND m.oid >= ${FIRST_USER_OID}
  UNION SELECT r.rngtypid, f.routine
  FROM pg_catalog.pg_range r
  CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[r.rngcanonical, r.rngsubdiff]::oid[]) AS f(routine)
  WHERE f.routine >= ${FIRST_USER_OID}
  LIMIT $1`;

/** User types among the arguments and results of functions: a call casts to and from them. */
export const SIGNATURES = `SELECT DISTINCT p.oid AS routine, n.nspname AS schema, p.proname AS name, t.type
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  CROSS JOIN LATERAL pg_catalog.unnest(
    coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) AS t(type)
  WHERE t.type >= ${FIRST_USER_OID} LIMIT $1`;
