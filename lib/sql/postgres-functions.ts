/**
 * Functions whose call does more than compute, as data: PG-63, PG-64, PG-79, PG-82. The name alone
 * decides, whatever the schema, because a name may be reached through any search path; functions
 * with a body of their own are read from the catalog, not from here.
 *
 * `nextval`, `currval` and `lastval` have no effect here: every INSERT into a table with a serial
 * column calls nextval, so a rule against it could not be told from one against inserts.
 */

import type { Effect } from './analysis.ts';

export interface FunctionEffect {
  readonly effects: readonly Effect[];
  /** It can show values of any table, so that no masked value can be told in its result (PG-79, PG-82). */
  readonly reveals: boolean;
}

interface Row {
  readonly effects: readonly Effect[];
  readonly reveals?: true;
  readonly names: string;
}

const ROWS: readonly Row[] = [
  // SQL given as a string, or a table given by name: what it reads or calls is not in the tree.
  {
    effects: ['unknown', 'code'],
    reveals: true,
    names: `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
      table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
      schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
      ts_stat crosstab crosstab2 crosstab3 crosstab4 crosstab_hash connectby connectby_text
      connectby_text_serial connectby_int connectby_int_serial xpath_table xslt_process
      pg_background_launch pg_background_launch_v2 pg_background_result
      run_command_on_workers run_command_on_shards run_command_on_placements
      run_command_on_all_nodes run_command_on_coordinator run_command_on_colocated_placements
      master_modify_multiple_shards add_job run_job alter_job`,
  },
  // Requests to somewhere else.
  {
    effects: ['unknown', 'code'],
    names: 'http http_get http_post http_put http_patch http_delete http_head',
  },
  // Files of the server.
  {
    effects: ['file'],
    reveals: true,
    names: `lo_import lo_export pg_read_file pg_read_binary_file pg_read_file_old pg_file_read pg_file_write
      pg_file_sync pg_file_rename pg_file_unlink pg_logdir_ls be_lo_import be_lo_export`,
  },
  {
    effects: ['file'],
    names: `pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalmapdir
      pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_stat_file pg_current_logfile
      pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_get_loaded_modules`,
  },
  // Pages, statistics, other people's statements: values without a column reference (PG-82).
  {
    effects: ['admin'],
    reveals: true,
    names: `get_raw_page heap_page_items heap_page_item_attrs tuple_data_split fsm_page_contents
      bt_page_items bt_multi_page_stats brin_page_items gin_leafpage_items gist_page_items
      gist_page_items_bytea hash_page_items pg_get_wal_block_info pg_get_wal_records_info
      pg_get_wal_record_info pg_mcv_list_items pg_stat_get_activity pg_stat_get_backend_activity
      pg_stat_statements pg_prepared_statement pg_cursor pg_wal_summary_contents`,
  },
  // Large objects. No column says whose values one holds (PG-82).
  { effects: [], reveals: true, names: 'lo_get loread' },
  { effects: ['delete'], names: 'lo_unlink lo_manage' },
  { effects: ['delete', 'truncate'], names: 'lo_truncate lo_truncate64' },
  { effects: ['create', 'update'], names: 'lo_from_bytea lo_create lo_creat' },
  { effects: ['update'], names: 'lo_put lowrite setval' },
  // Settings of the session. `setseed` and the like change nothing that outlives a statement's meaning.
  { effects: ['session'], names: 'set_config setseed pg_export_snapshot' },
  // Other sessions, the server itself.
  {
    effects: ['admin'],
    names: `pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old
      pg_switch_wal pg_promote pg_create_restore_point pg_backup_start pg_backup_stop pg_start_backup
      pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume pg_import_system_collations
      pg_log_backend_memory_contexts pg_log_standby_snapshot pg_stat_reset pg_stat_reset_shared
      pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters pg_stat_reset_slru
      pg_stat_reset_replication_slot pg_stat_reset_subscription_stats pg_stat_reset_backend_stats
      pg_stat_statements_reset pg_stat_force_next_flush pg_nextoid pg_stop_making_pinned_objects
      pg_extension_config_dump pg_clear_attribute_stats pg_clear_relation_stats
      pg_restore_attribute_stats pg_restore_relation_stats pg_buffercache_evict
      pg_buffercache_evict_relation pg_buffercache_evict_all pg_prewarm autoprewarm_start_worker
      autoprewarm_dump_now pg_truncate_visibility_map brin_summarize_new_values brin_summarize_range
      brin_desummarize_range gin_clean_pending_list pg_sync_replication_slots
      injection_points_attach injection_points_run system`,
  },
  { effects: ['delete', 'admin'], names: 'heap_force_kill heap_force_freeze' },
  { effects: ['drop'], names: 'drop_chunks remove_compressed_chunks_policy undistribute_table' },
  // Holding a server process.
  { effects: ['lock'], names: 'pg_sleep pg_sleep_for pg_sleep_until' },
  {
    effects: ['lock'],
    names: `pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
      pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock
      pg_try_advisory_xact_lock_shared pg_advisory_unlock pg_advisory_unlock_shared
      pg_advisory_unlock_all`,
  },
  { effects: ['notify'], names: 'pg_notify' },
  // Replication. Reading a slot shows rows of every table.
  {
    effects: ['replication'],
    reveals: true,
    names: `pg_logical_slot_get_changes pg_logical_slot_peek_changes pg_logical_slot_get_binary_changes
      pg_logical_slot_peek_binary_changes`,
  },
  {
    effects: ['replication'],
    names: `pg_logical_emit_message pg_create_logical_replication_slot pg_create_physical_replication_slot
      pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_replication_slot_advance
      pg_replication_origin_create pg_replication_origin_advance
      pg_replication_origin_session_setup pg_replication_origin_session_reset
      pg_replication_origin_xact_setup pg_replication_origin_xact_reset`,
  },
  {
    effects: ['replication', 'drop'],
    names: 'pg_drop_replication_slot pg_replication_origin_drop',
  },
];

/** Families that grow with each release: matched by their beginning. */
const PREFIXES: readonly { readonly prefix: string; readonly effect: FunctionEffect }[] = [
  { prefix: 'dblink', effect: { effects: ['unknown', 'code'], reveals: true } },
  { prefix: 'binary_upgrade_', effect: { effects: ['admin', 'unknown'], reveals: false } },
];

/** Schemas of extensions that run statements later or elsewhere: everything in them. */
const SCHEMAS: ReadonlySet<string> = new Set([
  'cron',
  'pgagent',
  'pgq',
  'pgq_node',
  'londiste',
  'partman',
]);

const RUNS_ANYTHING: FunctionEffect = { effects: ['unknown', 'code'], reveals: true };

const BY_NAME: ReadonlyMap<string, FunctionEffect> = new Map(
  ROWS.flatMap((row) =>
    row.names
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name) => [name, { effects: row.effects, reveals: row.reveals === true }] as const),
  ),
);

/** What calling a function of this name does by itself; undefined: it only computes, or has a body to read. */
export function functionEffect(
  schema: string | undefined,
  name: string,
  argumentCount: number,
): FunctionEffect | undefined {
  if (schema !== undefined && SCHEMAS.has(schema)) return RUNS_ANYTHING;
  // ts_rewrite(query, text) runs the text; with three arguments it only rewrites.
  if (name === 'ts_rewrite') return argumentCount === 2 ? RUNS_ANYTHING : undefined;
  // pg_cron's functions are in the schema `cron`, but a search path may hide that.
  if (name === 'schedule' || name === 'schedule_in_database' || name === 'alter_job')
    return RUNS_ANYTHING;
  return BY_NAME.get(name) ?? PREFIXES.find((row) => name.startsWith(row.prefix))?.effect;
}

/**
 * Volatile functions of pg_catalog that are known to have no effect worth a rule. With the tables
 * above it names every volatile function of the server, which a test checks against a real one, so
 * that a new release cannot bring a new side effect unnoticed.
 */
export const HARMLESS_VOLATILE: ReadonlySet<string> = new Set(
  `nextval currval lastval random random_normal array_sample array_shuffle clock_timestamp timeofday
  gen_random_uuid uuidv4 uuidv7 current_query currtid2 amvalidate bernoulli lo_close lo_lseek
  lo_lseek64 lo_open lo_tell lo_tell64 dsnowball_init dsnowball_lexize brinhandler bthandler
  ginhandler gisthandler hashhandler heap_tableam_handler spghandler plpgsql_call_handler
  plpgsql_inline_handler plpgsql_validator txid_status
  pg_available_wal_summaries pg_blocking_pids pg_collation_actual_version pg_control_checkpoint
  pg_control_init pg_control_recovery pg_control_system pg_current_wal_flush_lsn
  pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_collation_actual_version pg_database_size
  pg_get_aios pg_get_backend_memory_contexts pg_get_multixact_members pg_get_sequence_data
  pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_wait_events
  pg_get_wal_replay_pause_state pg_get_wal_resource_managers pg_get_wal_summarizer_state
  pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused pg_isolation_test_session_is_blocked
  pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage pg_partition_ancestors
  pg_partition_tree pg_prepared_xact pg_relation_size pg_replication_origin_progress
  pg_replication_origin_session_is_setup pg_replication_origin_session_progress
  pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_show_replication_origin_status
  pg_stat_clear_snapshot pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io
  pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
  pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
  pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted
  pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
  pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated
  pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_stat_have_stats pg_table_size
  pg_tablespace_size pg_total_relation_size pg_xact_commit_timestamp pg_xact_commit_timestamp_origin
  pg_xact_status`
    .split(/\s+/)
    .filter((name) => name !== ''),
);
