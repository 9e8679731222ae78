/**
 * Parts of the servers' own schemas that show values of users' tables or the text of other people's
 * statements (MY-66), as data. They count as masked for everyone who has a mask: otherwise a masked
 * column could be read from its own statistics. What drivers, tools and ORMs read is not among them.
 */

import { foldName } from './lineage-names.ts';

function words(value: string): ReadonlySet<string> {
  return new Set(value.split(/\s+/).filter((word) => word !== ''));
}

const SYSTEM_SCHEMAS = words('information_schema mysql performance_schema sys');

/** Tables of information_schema with columns that hold values; 'all': each of them does. */
const INFORMATION: ReadonlyMap<string, readonly string[] | 'all'> = new Map<
  string,
  readonly string[] | 'all'
>([
  // Statements of other sessions, with their literals.
  ['processlist', ['INFO', 'INFO_BINARY']],
  ['innodb_trx', ['TRX_QUERY']],
  ['query_cache_info', ['STATEMENT_TEXT']],
  ['profiling', []],
  // Keys of locked rows.
  ['innodb_locks', ['LOCK_DATA']],
  // Words of full-text indexes.
  ['innodb_ft_index_table', 'all'],
  ['innodb_ft_index_cache', 'all'],
  // Histograms of columns (MySQL 8).
  ['column_statistics', ['HISTOGRAM']],
  // Constants read from tables while planning.
  ['optimizer_trace', ['QUERY', 'TRACE']],
  ['user_variables', ['VARIABLE_VALUE']],
]);

/** All others of mysql.* hold statements, statistics with values, or pages of indexes. */
const MYSQL_CLEAR = words(`
  user db host global_priv tables_priv columns_priv procs_priv proxies_priv roles_mapping role_edges
  default_roles global_grants password_history proc event func plugin component servers
  time_zone time_zone_name time_zone_transition time_zone_transition_type time_zone_leap_second
  help_topic help_category help_relation help_keyword gtid_slave_pos gtid_executed
  slave_master_info slave_relay_log_info engine_cost server_cost`);

/** Of performance_schema, only what tells of settings and counters. */
const PERFORMANCE_CLEAR = words(`
  session_variables global_variables persisted_variables variables_info session_status global_status
  session_connect_attrs session_account_connect_attrs accounts users hosts keyring_component_status
  setup_actors setup_consumers setup_instruments setup_objects setup_timers setup_threads
  performance_timers socket_instances file_instances mutex_instances rwlock_instances cond_instances
  memory_summary_global_by_event_name file_summary_by_event_name file_summary_by_instance
  events_waits_summary_global_by_event_name events_stages_summary_global_by_event_name
  table_io_waits_summary_by_table table_io_waits_summary_by_index_usage
  table_lock_waits_summary_by_table replication_group_members replication_group_member_stats
  replication_connection_configuration replication_connection_status innodb_redo_log_files
  user_defined_functions log_status processlist_counts metadata_locks`);

const SYS_CLEAR = words(`
  version sys_config schema_unused_indexes schema_redundant_indexes schema_auto_increment_columns
  schema_index_statistics schema_table_statistics schema_object_overview schema_tables_with_full_table_scans
  metrics memory_global_total x$schema_index_statistics x$schema_table_statistics`);

/** The masked columns of a relation of the server's own; undefined: it shows nothing of others. */
export function findSystemRelation(
  schema: string | undefined,
  name: string,
): readonly string[] | 'all' | undefined {
  const relation = foldName(name);
  switch (schema === undefined ? '' : foldName(schema)) {
    case 'information_schema':
      return INFORMATION.get(relation);
    case 'mysql':
      return MYSQL_CLEAR.has(relation) ? undefined : 'all';
    case 'performance_schema':
      return PERFORMANCE_CLEAR.has(relation) ? undefined : 'all';
    case 'sys':
      return SYS_CLEAR.has(relation) ? undefined : 'all';
    default:
      return undefined;
  }
}

export function isSystemSchema(schema: string | undefined): boolean {
  return schema !== undefined && SYSTEM_SCHEMAS.has(foldName(schema));
}
