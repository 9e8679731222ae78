/**
 * Files of MariaDB's suite that print the same twice direct, take less than half a second, and need neither a
 * server of their own settings nor a restart. Chosen by running all of them, not by what a gateway can do.
 */

const NAMES = `
  1st aborted_clients alias almost_full alter_events alter_table_trans alter_user
  analyze_engine_stats analyze_stmt_orderby analyze_stmt_privileges ansi assign_key_cache
  backup_aria binary binary_to_hex bool bug12427262 bug13633383 cache_innodb case change_user
  check_constraint_innodb check_constraint_show client client_xml column_compression_utf16
  comment_column comment_column2 comment_index comment_table comments commit compare contributors
  create-uca create_drop_db create_drop_index create_drop_procedure create_drop_role
  create_drop_server create_drop_trigger create_drop_user create_drop_view create_or_replace_pfs
  create_user create_utf8 cte_cycle cte_grant cte_nonrecursive_not_embedded
  cte_recursive_not_embedded ctype_ascii ctype_collate_table ctype_cp850 ctype_create ctype_dec8
  ctype_errors ctype_utf8mb3_general_ci_casefold ctype_utf8mb3_innodb custom_aggregates_i_s
  default_innodb default_session delete_innodb delete_returning delete_returning_grant
  deprecated_features derived_cond_pushdown_innodb desc_index_range distinct_notembedded dyncol
  empty_string_literal empty_table endspace enforce_storage_engine errors events_microsec
  events_processlist events_trans except except_all execution_constants explain_innodb
  explain_json_format_partitions explain_json_innodb explain_non_select ext_key_noPK_6794
  fast_prefix_index_fetch_innodb features file_contents filesort_bad_i_s-7585 filesort_pack
  flush_notembedded fulltext2 fulltext_cache fulltext_charsets fulltext_distinct fulltext_multi
  fulltext_update func_analyse func_bit func_concat func_crypt func_date_add func_default
  func_des_encrypt func_digest func_encrypt_ucs2 func_equal func_group_innodb func_if func_int
  func_op func_regexp_pcre func_rollback func_sapdb func_set func_system func_test func_time_hires
  func_time_round func_timestamp func_weight_string gcc296 gis-json gis-rt-precise gis_notembedded
  grant_binlog_replay grant_kill grant_master_admin grant_read_only grant_server grant_slave_admin
  grant_slave_monitor group_by_innodb group_min_max_notembedded handler_read_last
  implicit_char_to_num_conversion in_subq_cond_pushdown index_merge_innodb_notembedded
  information_schema_columns information_schema_stats information_schema_tables innodb_bug878769
  innodb_group insert_innodb insert_returning_datatypes join_cache_cardinality join_crash
  json_equals json_normalize key_diff key_primary keyread last_value limit locking_clause
  long_unique_delayed long_unique_using_hash mdev-25830 mdev-35721-ubsan mdev13607 mdev19198
  mdev316 mdev375 mrr_derived_crash_4610 myisam_enable_keys-10506 mysql-interactive mysql-metadata
  mysql_comments mysql_not_windows mysqldump-order-by-size mysqldump-utf8mb4
  mysqltest_tracking_info name_const_replacement negation_elimination nested_profiling odbc
  opt_trace_index_merge_innodb opt_trace_security opt_trace_ucs2 order_by-mdev-10122
  order_by_optimizer order_by_optimizer_innodb order_by_zerolength-4285 overflow packet
  parser_not_embedded partition_cache_myisam partition_charset partition_column_prune
  partition_csv partition_hash partition_innodb_plugin partition_mrr_aria partition_mrr_innodb
  partition_mrr_myisam partition_rename_longfilename partition_sp partition_symlink
  partition_truncate partition_utf8 password_expiration precedence_bugs prepare progress_976225
  ps_10nestset ps_11bugs ps_4heap ps_ddl1 ps_grant ps_innodb ps_missed_cmds_not_embedded
  ps_not_windows ps_qc_innodb public_basic public_privileges query_cache_28249 query_cache_innodb
  query_cache_with_views read_only_innodb rename renamedb reopen_temp_table repair_symlink-5543
  replace replace_returning replace_returning_datatypes reset_connection rollback round row
  rowid_filter_myisam rowid_order_innodb second_frac-9175 select_found select_safe servers
  set_operation set_operation_oracle set_password show show_bad_definer-5553
  show_function_with_pad_char_to_full_length show_row_order-9226 signal signal_demo1 signal_demo2
  signal_demo3 signal_sqlmode simultaneous_assignment single_delete_update_innodb sp-bugs sp-bugs2
  sp-memory-leak sp-no-code sql_mode_pad_char_to_full_length ssl_crl_clients stack-crash
  stat_tables_flush stat_tables_missing stat_tables_partition status_bug17954 str_to_datetime_457
  strict_autoinc_1myisam strict_autoinc_2innodb strict_autoinc_3heap subquery_merge
  subselect-crash_15755 subselect_gis subselect_mat_analyze_json subselect_notembedded
  subselect_nulls subselect_nulls_innodb subselect_sj_aria subselect_sj_nonmerged
  subselect_union_rand system_mysql_db system_mysql_db_507 system_mysql_db_refs table_keyinfo-6838
  table_options_notembedded temporal_scale_4283 tmp_table_count-7586 truncate-stale-6500
  truncate_notembedded type_char type_date_round type_geometry_mix_int type_hex_hybrid
  type_interval type_json type_nchar type_num_innodb type_row type_temporal_innodb type_varbinary
  union_innodb unique update_ignore_216 update_innodb userstat-badlogin-4824 view_alias
  win_as_arg_to_aggregate_func win_avg win_bit win_empty_over win_first_last_value win_i_s
  win_insert_select win_lead_lag win_min_max win_nth_value win_ntile win_orderby win_percent_cume
  win_percentile win_rank win_std win_sum
`;

export const SUITE_FILES: readonly string[] = NAMES.trim().split(/\s+/);
