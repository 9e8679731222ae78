/**
 * Built-in functions whose call does more than compute. The name alone decides, in whatever schema it is
 * written; stored functions have a body to be read and stand not here.
 */

import type { Effect } from '../analysis.ts';

const ROWS: readonly { readonly effects: readonly Effect[]; readonly names: string }[] = [
  // Files of the server (MY-40).
  { effects: ['file'], names: 'load_file' },
  // What the loadable functions of well-known libraries do: run commands, open files and connections.
  {
    effects: ['unknown', 'code'],
    names: `sys_exec sys_eval sys_get sys_set sys_bineval http_get http_post http_put http_delete
      lib_mysqludf_sys_info system_exec memc_set memc_get gman_do gman_do_background`,
  },
  // Holding a server thread.
  {
    effects: ['lock'],
    names: `sleep benchmark get_lock release_lock release_all_locks is_free_lock is_used_lock
      master_pos_wait source_pos_wait master_gtid_wait wait_for_executed_gtid_set
      wait_until_sql_thread_after_gtids wsrep_sync_wait_upto_gtid
      service_get_read_locks service_get_write_locks service_release_locks`,
  },
  // Rows of any table, as the log has them.
  {
    effects: ['replication'],
    names: 'binlog_gtid_pos asynchronous_connection_failover_add_source',
  },
  {
    effects: ['replication', 'admin'],
    names: `asynchronous_connection_failover_delete_source asynchronous_connection_failover_add_managed
      asynchronous_connection_failover_delete_managed asynchronous_connection_failover_reset
      group_replication_set_as_primary group_replication_switch_to_single_primary_mode
      group_replication_switch_to_multi_primary_mode group_replication_set_write_concurrency
      group_replication_set_communication_protocol group_replication_enable_member_action
      group_replication_disable_member_action group_replication_reset_member_actions`,
  },
  {
    effects: ['admin'],
    names: `audit_log_filter_set_filter audit_log_filter_remove_filter audit_log_filter_set_user
      audit_log_filter_remove_user audit_log_filter_flush audit_log_rotate audit_log_encryption_password_set
      mysql_firewall_flush_status normalize_statement read_firewall_users read_firewall_whitelist
      set_firewall_mode keyring_key_fetch keyring_key_generate keyring_key_remove keyring_key_store
      keyring_aws_rotate_cmk keyring_aws_rotate_keys version_tokens_set version_tokens_edit
      version_tokens_delete version_tokens_lock_exclusive version_tokens_lock_shared
      version_tokens_unlock masking_dictionaries_flush gen_dictionary_load gen_dictionary_drop
      flush_rewrite_rules load_rewrite_rules mysql_query_attribute_string`,
  },
];

const NONE: readonly Effect[] = [];

const BY_NAME: ReadonlyMap<string, readonly Effect[]> = new Map(
  ROWS.flatMap(({ effects, names }) =>
    names
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name) => [name, effects] as const),
  ),
);

/** `name` in lower case. */
export function functionEffects(name: string): readonly Effect[] {
  return BY_NAME.get(name) ?? NONE;
}
