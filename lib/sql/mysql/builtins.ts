/**
 * Names of functions that a server brings along. Without a schema such a name never means a stored
 * function, so no body needs to be read; any other name may be code of the database's own (MY-46).
 * A name that only some servers know is one of theirs only, because elsewhere it can be anybody's.
 */

import type { Server } from './version-comments.ts';

interface Row {
  readonly flavor: Server['flavor'] | undefined;
  /** First version that has them, as in version comments. */
  readonly since: number;
  readonly names: string;
}

const ROWS: readonly Row[] = [
  {
    flavor: undefined,
    since: 0,
    names: `abs acos adddate addtime aes_decrypt aes_encrypt ascii asin atan atan2 avg benchmark bin
      binary bit_and bit_count bit_length bit_or bit_xor cast ceil ceiling char char_length character
      character_length charset coalesce coercibility collation compress concat concat_ws connection_id
      conv convert convert_tz cos cot count crc32 curdate current_date current_time current_timestamp
      current_user curtime database date date_add date_format date_sub datediff day dayname dayofmonth
      dayofweek dayofyear default degrees elt exp export_set extract extractvalue field find_in_set
      floor format found_rows from_base64 from_days from_unixtime get_format get_lock greatest
      group_concat hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval
      is_free_lock is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_used_lock isnull last_day
      last_insert_id lcase least left length ln load_file localtime localtimestamp locate log log10
      log2 lower lpad ltrim make_set makedate maketime match max md5 microsecond mid min minute mod
      month monthname name_const now nullif oct octet_length ord period_add period_diff pi position
      pow power quarter quote radians rand release_all_locks release_lock repeat replace
      reverse right round row row_count rpad rtrim schema sec_to_time second session_user sha sha1
      sha2 sign sin sleep soundex space sqrt std stddev stddev_pop stddev_samp str_to_date strcmp
      subdate substr substring substring_index subtime sum sysdate system_user tan time time_format
      time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_days to_seconds trim
      truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml upper user utc_date
      utc_time utc_timestamp uuid uuid_short values var_pop var_samp variance version week weekday
      weekofyear weight_string year yearweek
      json_array json_array_append json_array_insert json_contains json_contains_path json_depth
      json_extract json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve
      json_object json_pretty json_quote json_remove json_replace json_search json_set json_type
      json_unquote json_valid json_arrayagg json_objectagg

      geometrycollection linestring multilinestring multipoint multipolygon point polygon
      mbrcontains mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin
      st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer st_centroid st_contains
      st_convexhull st_crosses st_difference st_dimension st_disjoint st_distance
      st_endpoint st_envelope st_equals st_exteriorring st_geomcollfromtext
      st_geomcollfromwkb st_geometrycollectionfromtext st_geometrycollectionfromwkb
      st_geometryfromtext st_geometryfromwkb st_geometryn st_geometrytype st_geomfromgeojson
      st_geomfromtext st_geomfromwkb st_interiorringn st_intersection st_intersects st_isclosed
      st_isempty st_issimple st_length st_linefromtext st_linefromwkb
      st_linestringfromtext st_linestringfromwkb st_numgeometries
      st_numinteriorrings st_numpoints st_overlaps st_pointfromtext st_pointfromwkb
      st_pointn st_polyfromtext st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_srid
      st_startpoint st_symdifference st_touches st_union st_within st_x st_y
      st_distance_sphere
      st_mlinefromtext st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb st_multilinestringfromtext st_multilinestringfromwkb
      st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext st_multipolygonfromwkb    `,
  },
  {
    flavor: 'mariadb',
    since: 0,
    names: `regexp_instr regexp_replace regexp_substr json_table json_value cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
      add_months binlog_gtid_pos chr column_add column_check column_create column_delete
      column_exists column_get column_json column_list concat_operator_oracle current_role decode
      decode_histogram decode_oracle des_decrypt des_encrypt encode encrypt json_compact json_detailed
       json_exists json_loose json_query lastval lengthb lpad_oracle
      ltrim_oracle master_gtid_wait master_pos_wait median nextval nvl nvl2
      old_password password percentile_cont percentile_disc replace_oracle rpad_oracle rtrim_oracle
      schemas setval substr_oracle substring_index sys_guid to_char trim_oracle value
      wsrep_last_seen_gtid wsrep_last_written_gtid wsrep_sync_wait_upto_gtid
      area asbinary astext aswkb aswkt boundary buffer centroid convexhull crosses dimension disjoint
      endpoint envelope equals exteriorring geomcollfromtext geomcollfromwkb
      geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext geometryfromwkb geometryn
      geometrytype geomfromtext geomfromwkb glength interiorringn intersects isclosed isempty isring
      issimple linefromtext linefromwkb linestringfromtext linestringfromwkb mbrequal
      mlinefromtext mlinefromwkb mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb
      multilinestringfromtext multilinestringfromwkb multipointfromtext multipointfromwkb
      multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings numpoints overlaps
      pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygonfromtext
      polygonfromwkb srid startpoint st_boundary st_isring
      st_pointonsurface st_relate touches within x y contains`,
  },
  {
    flavor: 'mariadb',
    since: 100700,
    names: 'natural_sort_key sformat json_normalize json_equals',
  },
  { flavor: 'mariadb', since: 100800, names: 'crc32c json_overlaps random_bytes' },
  {
    flavor: 'mariadb',
    since: 110200,
    names:
      'json_array_intersect json_key_value json_object_filter_keys json_object_to_array json_schema_valid',
  },
  {
    flavor: 'mariadb',
    since: 110700,
    names:
      'uuid_v4 uuid_v7 vec_distance vec_distance_cosine vec_distance_euclidean vec_fromtext vec_totext',
  },
  {
    flavor: 'mysql',
    since: 50700,
    names: `random_bytes validate_password_strength mbrcoveredby mbrcovers st_geohash st_geomcollfromtxt st_isvalid st_latfromgeohash st_longfromgeohash st_numinteriorring st_pointfromgeohash st_simplify st_validate
      any_value distance gtid_subset gtid_subtract master_pos_wait st_asgeojson wait_for_executed_gtid_set
      wait_until_sql_thread_after_gtids mbrequal`,
  },
  {
    flavor: 'mysql',
    since: 80000,
    names: `regexp_instr regexp_replace regexp_substr json_table json_overlaps json_value cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
      bin_to_uuid current_role format_bytes format_pico_time gen_blacklist gen_blocklist
      gen_dictionary gen_dictionary_drop gen_dictionary_load gen_range gen_rnd_email gen_rnd_pan
      gen_rnd_ssn gen_rnd_us_phone grouping icu_version is_uuid is_visible_dd_object json_schema_valid
      json_schema_validation_report json_storage_free json_storage_size member_of ps_current_thread_id
      ps_thread_id regexp_like roles_graphml source_pos_wait st_collect st_frechetdistance
      st_hausdorffdistance st_latitude st_lineinterpolatepoint st_lineinterpolatepoints st_longitude
      st_makeenvelope st_mlinefromtxt 
      
      
      st_pointatdistance st_swapxy st_transform statement_digest statement_digest_text uuid_to_bin`,
  },
];

const BY_NAME = new Map<string, Row[]>();
for (const row of ROWS) {
  for (const name of row.names.split(/\s+/)) {
    if (name !== '') BY_NAME.set(name, [...(BY_NAME.get(name) ?? []), row]);
  }
}

/**
 * Called as `name (x)` with white space, these are looked up as stored functions, unless IGNORE_SPACE is on
 * (the tables of functions with parentheses as part of their token in the servers' lex.h).
 */
const SPACE_SENSITIVE: ReadonlySet<string> = new Set(
  `adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_sub extract group_concat
  json_arrayagg json_objectagg json_table max mid min now position session_user std stddev stddev_pop
  stddev_samp subdate substr substring sum sysdate system_user trim var_pop var_samp variance
  cume_dist dense_rank first_value lag last_value lead median nth_value ntile percent_rank rank
  row_number percentile_cont percentile_disc st_collect trim_oracle`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

/** `name` in lower case. Without a server: whether any of them brings it along. */
export function isBuiltinFunction(name: string, server?: Server): boolean {
  const rows = BY_NAME.get(name);
  if (rows === undefined) return false;
  if (server === undefined) return true;
  return rows.some(
    ({ flavor, since }) =>
      (flavor === undefined || flavor === server.flavor) && since <= server.version,
  );
}

/**
 * MariaDB's grammar has these with some numbers of arguments only; with others (`point(1)`), or for
 * json_table outside of FROM, it looks for a stored function. Found by calling each name with 0 to 4.
 */
const OVERRIDABLE: ReadonlySet<string> = new Set([
  'geometrycollection',
  'json_table',
  'linestring',
  'multilinestring',
  'multipoint',
  'multipolygon',
  'point',
  'polygon',
]);

/** Whether a stored function of this name may be meant all the same. */
export function isOverridable(name: string): boolean {
  return OVERRIDABLE.has(name);
}

/** Whether white space before the parenthesis makes it another function. */
export function isSpaceSensitive(name: string): boolean {
  return SPACE_SENSITIVE.has(name);
}
