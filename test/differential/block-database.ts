/**
 * The database of the `block` suite: a watched schema that must not lose anything, and code made
 * beforehand by someone else that deletes when it is called, in every way that PostgreSQL offers.
 */

/** Run by the superuser in an empty database. */
export const BLOCK_DATABASE = `
SET check_function_bodies = off;
CREATE SCHEMA watched;
CREATE TABLE watched.victims (id int PRIMARY KEY, v text, keep int DEFAULT 1, CONSTRAINT short CHECK (length(v) < 100));
INSERT INTO watched.victims SELECT i, 'row ' || i FROM generate_series(1, 30) i;
CREATE TABLE watched.dependents (id int PRIMARY KEY, victim int REFERENCES watched.victims ON DELETE CASCADE);
INSERT INTO watched.dependents SELECT i, i FROM generate_series(1, 10) i;
CREATE TABLE watched.parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE watched.parts_1 PARTITION OF watched.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE watched.parts_2 PARTITION OF watched.parts FOR VALUES FROM (10) TO (20);
ALTER TABLE watched.parts_2 REPLICA IDENTITY FULL;
INSERT INTO watched.parts SELECT i, 'p' FROM generate_series(1, 19) i;
CREATE TABLE watched.child () INHERITS (watched.victims);
CREATE VIEW watched.seen AS SELECT * FROM watched.victims;
CREATE TYPE watched.pair AS (a int, b int);
CREATE DOMAIN watched.small AS int CONSTRAINT small_check CHECK (VALUE < 100);
CREATE SEQUENCE watched.numbers;
CREATE PUBLICATION watched_publication FOR TABLE watched.parts_2;
CREATE TABLE public."delete" ("drop" text, truncate text);
INSERT INTO public."delete" VALUES ('DROP TABLE x', 'TRUNCATE y');
CREATE TABLE public.sink (n int, v text);

CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END $$;
CREATE FUNCTION purge(n int) RETURNS int LANGUAGE sql AS $$ DELETE FROM watched.victims WHERE id > n; SELECT n $$;
CREATE FUNCTION purge_set() RETURNS SETOF int LANGUAGE sql AS $$ DELETE FROM watched.victims RETURNING id $$;
CREATE FUNCTION purge_atomic() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC DELETE FROM watched.victims RETURNING id; END;
CREATE FUNCTION purge_dynamic(t text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE t; RETURN 1; END $$;
CREATE FUNCTION outer_call() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM purge(); RETURN 1; END $$;
CREATE FUNCTION outer_default(x int DEFAULT purge()) RETURNS int LANGUAGE sql AS $$ SELECT x $$;
CREATE FUNCTION purge_two(a int, b int) RETURNS boolean LANGUAGE sql AS $$ DELETE FROM watched.victims; SELECT true $$;
CREATE FUNCTION purge_row(v watched.victims) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.dependents; RETURN 1; END $$;
CREATE FUNCTION purge_pair(p watched.pair) RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.victims; RETURN 'x'; END $$;
CREATE FUNCTION purge_state(s int, n int) RETURNS int LANGUAGE sql AS $$ DELETE FROM watched.victims; SELECT s $$;
CREATE FUNCTION purge_truncate() RETURNS void LANGUAGE sql AS $$ TRUNCATE watched.parts $$;
CREATE FUNCTION purge_drop() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE watched.dependents; END $$;
CREATE FUNCTION purge_definer() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = watched AS $$ DELETE FROM victims; SELECT 1 $$;
CREATE FUNCTION purge_escape() RETURNS int LANGUAGE plpgsql AS E'BEGIN EXECUTE ''del'' || ''ete from watched.victims''; RETURN 1; END';
CREATE PROCEDURE purge_procedure() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.victims; COMMIT; END $$;
CREATE FUNCTION harmless() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION harmless_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION purge_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.victims; RETURN NEW; END $$;
CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = purge_two);
CREATE CAST (watched.pair AS text) WITH FUNCTION purge_pair(watched.pair);
CREATE AGGREGATE purge_sum(int) (SFUNC = purge_state, STYPE = int, INITCOND = '0');
CREATE DOMAIN purging AS int CHECK (purge_two(VALUE, 1));
CREATE TYPE purging_row AS (n purging, v text);
CREATE TYPE purging_span AS RANGE (SUBTYPE = purging);
CREATE FUNCTION purge_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM watched.victims; END $$;
CREATE TABLE purging_default (n int DEFAULT purge(), m int);
CREATE TABLE purging_check (n int CHECK (purge_two(n, 1)));
CREATE VIEW purging_view AS SELECT purge() AS n;
CREATE SCHEMA shadow;
CREATE MATERIALIZED VIEW public.harmless_stored AS SELECT 1 AS n;
CREATE MATERIALIZED VIEW shadow.purging_stored AS SELECT public.purge() AS n WITH NO DATA;
CREATE FUNCTION shadow.lower(t text) RETURNS text LANGUAGE sql AS $$ DELETE FROM watched.victims; SELECT t $$;
CREATE OPERATOR shadow.= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.purge_two);
CREATE TABLE shadow.sink AS SELECT 1 AS n;
`;

/** Everything of the watched schema as one value: rows, columns, constraints, partitions, publications. */
export const CHECKSUM = `
SELECT md5(concat_ws('|',
  (SELECT string_agg(c.relname || c.relkind || a.attname || a.atttypid::regtype::text, ',' ORDER BY 1) FROM (
     SELECT c.oid, c.relname::text, c.relkind::text FROM pg_class c WHERE c.relnamespace = 'watched'::regnamespace) c (oid, relname, relkind)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT string_agg(query_to_xml(format('SELECT * FROM ONLY %s ORDER BY 1', c.oid::regclass), true, true, '')::text, '' ORDER BY c.relname)
     FROM pg_class c WHERE c.relnamespace = 'watched'::regnamespace AND c.relkind = 'r'),
  (SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'watched'::regnamespace),
  (SELECT string_agg(typname, ',' ORDER BY typname) FROM pg_type WHERE typnamespace = 'watched'::regnamespace),
  (SELECT count(*) FROM pg_inherits), (SELECT count(*) FROM pg_publication_rel),
  (SELECT count(*) FROM pg_database WHERE datname = 'spare'), (SELECT count(*) FROM pg_roles WHERE rolname = 'spare'))) AS sum`;
