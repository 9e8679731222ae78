/** Of each message in a request, `name:number:kind` of its fields, `*` for repeated ones, and the choice (oneof) that one is of. Written by scripts/milvus-fields.mjs from the descriptors of the Milvus Node SDK, not by hand. */
export const MESSAGE_FIELDS: Readonly<Record<string, string>> = {
  CreateCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, schema:4:bytes, shards_num:5:varint, consistency_level:6:varint, properties:7:KeyValuePair*, num_partitions:8:varint',
  MsgBase:
    'msg_type:1:varint, msgID:2:varint, timestamp:3:varint, sourceID:4:varint, targetID:5:varint, properties:6:map string*, replicateInfo:7:ReplicateInfo',
  ReplicateInfo: 'isReplicate:1:varint, msgTimestamp:2:varint, replicateID:3:string',
  KeyValuePair: 'key:1:string, value:2:string',
  DropCollectionRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  HasCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, time_stamp:4:varint',
  LoadCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, replica_number:4:varint, resource_groups:5:string*, refresh:6:varint, load_fields:7:string*, skip_load_dynamic_field:8:varint, load_params:9:map string*',
  ReleaseCollectionRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  DescribeCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, time_stamp:5:varint',
  BatchDescribeCollectionRequest:
    'db_name:1:string, collection_name:2:string*, collectionID:3:varint*',
  GetCollectionStatisticsRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  ShowCollectionsRequest:
    'base:1:MsgBase, db_name:2:string, time_stamp:3:varint, type:4:varint, collection_names:5:string*',
  AlterCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, properties:5:KeyValuePair*, delete_keys:6:string*',
  AlterCollectionFieldRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, properties:5:KeyValuePair*, delete_keys:6:string*',
  AddCollectionFunctionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, functionSchema:5:FunctionSchema',
  FunctionSchema:
    'name:1:string, id:2:varint, description:3:string, type:4:varint, input_field_names:5:string*, input_field_ids:6:varint*, output_field_names:7:string*, output_field_ids:8:varint*, params:9:KeyValuePair*',
  AlterCollectionFunctionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, function_name:5:string, functionSchema:6:FunctionSchema',
  DropCollectionFunctionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, function_name:5:string',
  TruncateCollectionRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  CreatePartitionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string',
  DropPartitionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string',
  HasPartitionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string',
  LoadPartitionsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_names:4:string*, replica_number:5:varint, resource_groups:6:string*, refresh:7:varint, load_fields:8:string*, skip_load_dynamic_field:9:varint, load_params:10:map string*',
  PrewarmRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace:4:string, replica_number:5:varint, resource_groups:6:string*, load_fields:7:string*, skip_load_dynamic_field:8:varint, load_params:9:map string*, ttl_seconds:10:varint, priority:11:string',
  DescribePrewarmTaskRequest: 'base:1:MsgBase, taskID:2:string',
  ReleasePartitionsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_names:4:string*',
  GetPartitionStatisticsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string',
  ShowPartitionsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, partition_names:5:string*, type:6:varint',
  CreateNamespaceRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace_name:4:string',
  DescribeNamespaceRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace_name:4:string',
  ListNamespacesRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, prefix:4:string, page_size:5:varint, page_token:6:string',
  DropNamespaceRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace_name:4:string',
  HasNamespaceRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace_name:4:string',
  GetNamespaceStatsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, namespace_name:4:string, exact:5:varint',
  GetLoadingProgressRequest:
    'base:1:MsgBase, collection_name:2:string, partition_names:3:string*, db_name:4:string',
  GetLoadStateRequest:
    'base:1:MsgBase, collection_name:2:string, partition_names:3:string*, db_name:4:string',
  CreateAliasRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string, alias:4:string',
  DropAliasRequest: 'base:1:MsgBase, db_name:2:string, alias:3:string',
  AlterAliasRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string, alias:4:string',
  DescribeAliasRequest: 'base:1:MsgBase, db_name:2:string, alias:3:string',
  ListAliasesRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  CreateIndexRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, extra_params:5:KeyValuePair*, index_name:6:string',
  AlterIndexRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, index_name:4:string, extra_params:5:KeyValuePair*, delete_keys:6:string*',
  DescribeIndexRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, index_name:5:string, timestamp:6:varint',
  GetIndexStatisticsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, index_name:4:string, timestamp:5:varint',
  GetIndexStateRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, index_name:5:string',
  GetIndexBuildProgressRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, index_name:5:string',
  DropIndexRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_name:4:string, index_name:5:string',
  InsertRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string, fields_data:5:FieldData*, hash_keys:6:varint*, num_rows:7:varint, schema_timestamp:8:varint, namespace:9:string',
  FieldData:
    'type:1:varint, field_name:2:string, scalars:3:ScalarField:field, vectors:4:VectorField:field, struct_arrays:8:StructArrayField:field, field_id:5:varint, is_dynamic:6:varint, valid_data:7:varint*',
  ScalarField:
    'bool_data:1:BoolArray:data, int_data:2:IntArray:data, long_data:3:LongArray:data, float_data:4:FloatArray:data, double_data:5:DoubleArray:data, string_data:6:StringArray:data, bytes_data:7:BytesArray:data, array_data:8:ArrayArray:data, json_data:9:JSONArray:data, geometry_data:10:GeometryArray:data, timestamptz_data:11:TimestamptzArray:data, geometry_wkt_data:12:GeometryWktArray:data, mol_data:13:MolArray:data, mol_smiles_data:14:MolSmilesArray:data, date_data:15:DateArray:data, time_data:16:TimeArray:data',
  BoolArray: 'data:1:varint*',
  IntArray: 'data:1:varint*',
  LongArray: 'data:1:varint*',
  FloatArray: 'data:1:fixed32*',
  DoubleArray: 'data:1:fixed64*',
  StringArray: 'data:1:string*',
  BytesArray: 'data:1:bytes*',
  ArrayArray: 'data:1:ScalarField*, element_type:2:varint',
  JSONArray: 'data:1:bytes*',
  GeometryArray: 'data:1:bytes*',
  TimestamptzArray: 'data:1:varint*',
  GeometryWktArray: 'data:1:string*',
  MolArray: 'data:1:bytes*',
  MolSmilesArray: 'data:1:string*',
  DateArray: 'data:1:varint*',
  TimeArray: 'data:1:varint*',
  VectorField:
    'dim:1:varint, float_vector:2:FloatArray:data, binary_vector:3:bytes:data, float16_vector:4:bytes:data, bfloat16_vector:5:bytes:data, sparse_float_vector:6:SparseFloatArray:data, int8_vector:7:bytes:data, vector_array:8:VectorArray:data',
  SparseFloatArray: 'contents:1:bytes*, dim:2:varint',
  VectorArray: 'dim:1:varint, data:2:VectorField*, element_type:3:varint',
  StructArrayField: 'fields:1:FieldData*',
  DeleteRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string, expr:5:string, hash_keys:6:varint*, consistency_level:7:varint, expr_template_values:8:map TemplateValue*, namespace:9:string',
  TemplateValue:
    'bool_val:1:varint:val, int64_val:2:varint:val, float_val:3:fixed64:val, string_val:4:string:val, array_val:5:TemplateArrayValue:val, bytes_val:6:bytes:val',
  TemplateArrayValue:
    'bool_data:1:BoolArray:data, long_data:2:LongArray:data, double_data:3:DoubleArray:data, string_data:4:StringArray:data, array_data:5:TemplateArrayValueArray:data, json_data:6:JSONArray:data',
  TemplateArrayValueArray: 'data:1:TemplateArrayValue*',
  UpsertRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_name:4:string, fields_data:5:FieldData*, hash_keys:6:varint*, num_rows:7:varint, schema_timestamp:8:varint, partial_update:9:varint, namespace:10:string, field_ops:11:FieldPartialUpdateOp*',
  FieldPartialUpdateOp: 'field_name:1:string, op:2:varint',
  SearchRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_names:4:string*, dsl:5:string, placeholder_group:6:bytes:search_input, ids:22:IDs:search_input, dsl_type:7:varint, output_fields:8:string*, search_params:9:KeyValuePair*, travel_timestamp:10:varint, guarantee_timestamp:11:varint, nq:12:varint, not_return_all_meta:13:varint, consistency_level:14:varint, use_default_consistency:15:varint, search_by_primary_keys:16:varint, sub_reqs:17:SubSearchRequest*, expr_template_values:18:map TemplateValue*, function_score:19:FunctionScore, namespace:20:string, highlighter:21:Highlighter, search_aggregation:23:SearchAggregationSpec, function_chains:24:FunctionChain*',
  IDs: 'int_id:1:LongArray:id_field, str_id:2:StringArray:id_field',
  SubSearchRequest:
    'dsl:1:string, placeholder_group:2:bytes, dsl_type:3:varint, search_params:4:KeyValuePair*, nq:5:varint, expr_template_values:6:map TemplateValue*, namespace:7:string',
  FunctionScore: 'functions:1:FunctionSchema*, params:2:KeyValuePair*',
  Highlighter: 'type:1:varint, params:2:KeyValuePair*',
  SearchAggregationSpec:
    'fields:1:string*, size:2:varint, metrics:3:map MetricAggSpec*, order:4:OrderSpec*, top_hits:5:TopHitsSpec, sub_aggregation:6:SearchAggregationSpec, search_size:7:varint',
  MetricAggSpec: 'op:1:string, field_name:2:string',
  OrderSpec: 'key:1:string, direction:2:string, null_first:3:varint',
  TopHitsSpec: 'size:1:varint, sort:2:SortSpec*',
  SortSpec: 'field_name:1:string, direction:2:string, null_first:3:varint',
  FunctionChain: 'name:1:string, stage:2:varint, ops:3:FunctionChainOp*',
  FunctionChainOp:
    'op:1:string, expr:2:FunctionChainExpr, inputs:3:string*, outputs:4:string*, params:5:map FunctionParamValue*',
  FunctionChainExpr:
    'name:1:string, args:2:FunctionChainExprArg*, params:3:map FunctionParamValue*',
  FunctionChainExprArg: 'column:1:FunctionChainColumnArg:arg, literal:2:FunctionParamValue:arg',
  FunctionChainColumnArg: 'name:1:string',
  FunctionParamValue:
    'bool_value:1:varint:value, int64_value:2:varint:value, double_value:3:fixed64:value, string_value:4:string:value, array_value:5:FunctionParamArray:value, object_value:6:FunctionParamObject:value, bytes_value:7:bytes:value',
  FunctionParamArray: 'values:1:FunctionParamValue*',
  FunctionParamObject: 'fields:1:map FunctionParamValue*',
  HybridSearchRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, partition_names:4:string*, requests:5:SearchRequest*, rank_params:6:KeyValuePair*, travel_timestamp:7:varint, guarantee_timestamp:8:varint, not_return_all_meta:9:varint, output_fields:10:string*, consistency_level:11:varint, use_default_consistency:12:varint, function_score:13:FunctionScore, namespace:14:string, function_chains:15:FunctionChain*',
  FlushRequest: 'base:1:MsgBase, db_name:2:string, collection_names:3:string*',
  QueryRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, expr:4:string, output_fields:5:string*, partition_names:6:string*, travel_timestamp:7:varint, guarantee_timestamp:8:varint, query_params:9:KeyValuePair*, not_return_all_meta:10:varint, consistency_level:11:varint, use_default_consistency:12:varint, expr_template_values:13:map TemplateValue*, namespace:14:string',
  CalcDistanceRequest:
    'base:1:MsgBase, op_left:2:VectorsArray, op_right:3:VectorsArray, params:4:KeyValuePair*',
  VectorsArray: 'id_array:1:VectorIDs:array, data_array:2:VectorField:array',
  VectorIDs:
    'collection_name:1:string, field_name:2:string, id_array:3:IDs, partition_names:4:string*',
  FlushAllRequest: 'base:1:MsgBase, db_name:2:string, flush_targets:3:FlushAllTarget*',
  FlushAllTarget: 'db_name:1:string, collection_names:2:string*',
  AddCollectionFieldRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, schema:5:bytes',
  AddCollectionStructFieldRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, struct_array_field_schema:5:StructArrayFieldSchema',
  StructArrayFieldSchema:
    'fieldID:1:varint, name:2:string, description:3:string, fields:4:FieldSchema*, type_params:5:KeyValuePair*, nullable:6:varint',
  FieldSchema:
    'fieldID:1:varint, name:2:string, is_primary_key:3:varint, description:4:string, data_type:5:varint, type_params:6:KeyValuePair*, index_params:7:KeyValuePair*, autoID:8:varint, state:9:varint, element_type:10:varint, default_value:11:ValueField, is_dynamic:12:varint, is_partition_key:13:varint, is_clustering_key:14:varint, nullable:15:varint, is_function_output:16:varint, external_field:17:string',
  ValueField:
    'bool_data:1:varint:data, int_data:2:varint:data, long_data:3:varint:data, float_data:4:fixed32:data, double_data:5:fixed64:data, string_data:6:string:data, bytes_data:7:bytes:data, timestamptz_data:8:varint:data, date_data:9:varint:data, time_data:10:varint:data',
  GetFlushStateRequest:
    'segmentIDs:1:varint*, flush_ts:2:varint, db_name:3:string, collection_name:4:string',
  GetFlushAllStateRequest:
    'base:1:MsgBase, flush_all_ts:2:varint, db_name:3:string, flush_targets:4:FlushAllTarget*, flush_all_tss:5:map varint*',
  GetPersistentSegmentInfoRequest:
    'base:1:MsgBase, dbName:2:string, collectionName:3:string, states:4:varint*',
  GetQuerySegmentInfoRequest: 'base:1:MsgBase, dbName:2:string, collectionName:3:string',
  GetReplicasRequest:
    'base:1:MsgBase, collectionID:2:varint, with_shard_nodes:3:varint, collection_name:4:string, db_name:5:string',
  DummyRequest: 'request_type:1:string',
  RegisterLinkRequest: '',
  GetMetricsRequest: 'base:1:MsgBase, request:2:string',
  GetComponentStatesRequest: '',
  LoadBalanceRequest:
    'base:1:MsgBase, src_nodeID:2:varint, dst_nodeIDs:3:varint*, sealed_segmentIDs:4:varint*, collectionName:5:string, db_name:6:string',
  GetCompactionStateRequest: 'compactionID:1:varint',
  ManualCompactionRequest:
    'collectionID:1:varint, timetravel:2:varint, majorCompaction:3:varint, collection_name:4:string, db_name:5:string, partition_id:6:varint, channel:7:string, segment_ids:8:varint*, l0Compaction:9:varint, target_size:10:varint',
  GetCompactionPlansRequest:
    'compactionID:1:varint, db_name:2:string, collection_name:3:string, collection_id:4:varint',
  ImportRequest:
    'collection_name:1:string, partition_name:2:string, channel_names:3:string*, row_based:4:varint, files:5:string*, options:6:KeyValuePair*, db_name:7:string, clustering_info:8:bytes',
  GetImportStateRequest: 'task:1:varint',
  ListImportTasksRequest: 'collection_name:1:string, limit:2:varint, db_name:3:string',
  CreateCredentialRequest:
    'base:1:MsgBase, username:2:string, password:3:string, created_utc_timestamps:4:varint, modified_utc_timestamps:5:varint, description:6:string',
  UpdateCredentialRequest:
    'base:1:MsgBase, username:2:string, oldPassword:3:string, newPassword:4:string, created_utc_timestamps:5:varint, modified_utc_timestamps:6:varint, description:7:string',
  DeleteCredentialRequest: 'base:1:MsgBase, username:2:string',
  ListCredUsersRequest: 'base:1:MsgBase',
  CreateRoleRequest: 'base:1:MsgBase, entity:2:RoleEntity',
  RoleEntity: 'name:1:string, description:2:string',
  AlterRoleRequest: 'base:1:MsgBase, role_name:2:string, description:3:string',
  DropRoleRequest: 'base:1:MsgBase, role_name:2:string, force_drop:3:varint',
  OperateUserRoleRequest: 'base:1:MsgBase, username:2:string, role_name:3:string, type:4:varint',
  SelectRoleRequest: 'base:1:MsgBase, role:2:RoleEntity, include_user_info:3:varint',
  SelectUserRequest: 'base:1:MsgBase, user:2:UserEntity, include_role_info:3:varint',
  UserEntity: 'name:1:string',
  OperatePrivilegeRequest: 'base:1:MsgBase, entity:2:GrantEntity, type:3:varint, version:4:string',
  GrantEntity:
    'role:1:RoleEntity, object:2:ObjectEntity, object_name:3:string, grantor:4:GrantorEntity, db_name:5:string',
  ObjectEntity: 'name:1:string',
  GrantorEntity: 'user:1:UserEntity, privilege:2:PrivilegeEntity',
  PrivilegeEntity: 'name:1:string',
  OperatePrivilegeV2Request:
    'base:1:MsgBase, role:2:RoleEntity, grantor:3:GrantorEntity, type:4:varint, db_name:5:string, collection_name:6:string',
  SelectGrantRequest: 'base:1:MsgBase, entity:2:GrantEntity',
  GetVersionRequest: '',
  CheckHealthRequest: '',
  CreateResourceGroupRequest:
    'base:1:MsgBase, resource_group:2:string, config:3:ResourceGroupConfig',
  ResourceGroupConfig:
    'requests:1:ResourceGroupLimit, limits:2:ResourceGroupLimit, transfer_from:3:ResourceGroupTransfer*, transfer_to:4:ResourceGroupTransfer*, node_filter:5:ResourceGroupNodeFilter',
  ResourceGroupLimit: 'node_num:1:varint',
  ResourceGroupTransfer: 'resource_group:1:string',
  ResourceGroupNodeFilter: 'node_labels:1:KeyValuePair*',
  DropResourceGroupRequest: 'base:1:MsgBase, resource_group:2:string',
  UpdateResourceGroupsRequest: 'base:1:MsgBase, resource_groups:2:map ResourceGroupConfig*',
  TransferNodeRequest:
    'base:1:MsgBase, source_resource_group:2:string, target_resource_group:3:string, num_node:4:varint',
  TransferReplicaRequest:
    'base:1:MsgBase, source_resource_group:2:string, target_resource_group:3:string, collection_name:4:string, num_replica:5:varint, db_name:6:string',
  ListResourceGroupsRequest: 'base:1:MsgBase',
  DescribeResourceGroupRequest: 'base:1:MsgBase, resource_group:2:string',
  RenameCollectionRequest:
    'base:1:MsgBase, db_name:2:string, oldName:3:string, newName:4:string, newDBName:5:string',
  ListIndexedSegmentRequest: 'base:1:MsgBase, collection_name:2:string, index_name:3:string',
  DescribeSegmentIndexDataRequest:
    'base:1:MsgBase, collection_name:2:string, index_name:3:string, segmentsIDs:4:varint*',
  ConnectRequest: 'base:1:MsgBase, client_info:2:ClientInfo',
  ClientInfo:
    'sdk_type:1:string, sdk_version:2:string, local_time:3:string, user:4:string, host:5:string, reserved:6:map string*',
  AllocTimestampRequest: 'base:1:MsgBase',
  CreateDatabaseRequest: 'base:1:MsgBase, db_name:2:string, properties:3:KeyValuePair*',
  DropDatabaseRequest: 'base:1:MsgBase, db_name:2:string',
  ListDatabasesRequest: 'base:1:MsgBase',
  AlterDatabaseRequest:
    'base:1:MsgBase, db_name:2:string, db_id:3:string, properties:4:KeyValuePair*, delete_keys:5:string*',
  DescribeDatabaseRequest: 'base:1:MsgBase, db_name:2:string',
  ReplicateMessageRequest:
    'base:1:MsgBase, channel_name:2:string, BeginTs:3:varint, EndTs:4:varint, Msgs:5:bytes*, StartPositions:6:MsgPosition*, EndPositions:7:MsgPosition*',
  MsgPosition:
    'channel_name:1:string, msgID:2:bytes, msgGroup:3:string, timestamp:4:varint, WAL_name:5:varint',
  BackupRBACMetaRequest: 'base:1:MsgBase',
  RestoreRBACMetaRequest: 'base:1:MsgBase, RBAC_meta:2:RBACMeta',
  RBACMeta:
    'users:1:UserInfo*, roles:2:RoleEntity*, grants:3:GrantEntity*, privilege_groups:4:PrivilegeGroupInfo*',
  UserInfo: 'user:1:string, password:2:string, roles:3:RoleEntity*',
  PrivilegeGroupInfo: 'group_name:1:string, privileges:2:PrivilegeEntity*',
  CreatePrivilegeGroupRequest: 'base:1:MsgBase, group_name:2:string',
  DropPrivilegeGroupRequest: 'base:1:MsgBase, group_name:2:string',
  ListPrivilegeGroupsRequest: 'base:1:MsgBase',
  OperatePrivilegeGroupRequest:
    'base:1:MsgBase, group_name:2:string, privileges:3:PrivilegeEntity*, type:4:varint',
  RunAnalyzerRequest:
    'base:1:MsgBase, analyzer_params:2:string, placeholder:3:bytes*, with_detail:4:varint, with_hash:5:varint, db_name:6:string, collection_name:7:string, field_name:8:string, analyzer_names:9:string*',
  AddFileResourceRequest: 'base:1:MsgBase, name:2:string, path:3:string',
  RemoveFileResourceRequest: 'base:1:MsgBase, name:2:string',
  ListFileResourcesRequest: 'base:1:MsgBase',
  AddUserTagsRequest: 'base:1:MsgBase, user_name:2:string, tags:3:map string*',
  DeleteUserTagsRequest: 'base:1:MsgBase, user_name:2:string, tag_keys:3:string*',
  GetUserTagsRequest: 'base:1:MsgBase, user_name:2:string',
  ListUsersWithTagRequest: 'base:1:MsgBase, tag_key:2:string, tag_value:3:string',
  CreateRowPolicyRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, policy_name:4:string, actions:5:varint*, roles:6:string*, using_expr:7:string, check_expr:8:string, description:9:string',
  DropRowPolicyRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, policy_name:4:string',
  ListRowPoliciesRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  UpdateReplicateConfigurationRequest:
    'replicate_configuration:1:ReplicateConfiguration, force_promote:2:varint',
  ReplicateConfiguration:
    'clusters:1:MilvusCluster*, cross_cluster_topology:2:CrossClusterTopology*',
  MilvusCluster: 'cluster_id:1:string, connection_param:2:ConnectionParam, pchannels:3:string*',
  ConnectionParam: 'uri:1:string, token:2:string',
  CrossClusterTopology: 'source_cluster_id:1:string, target_cluster_id:2:string',
  GetReplicateConfigurationRequest: '',
  GetReplicateInfoRequest: 'source_cluster_id:1:string, target_pchannel:2:string',
  ReplicateRequest: 'replicate_message:1:ReplicateMessage',
  ReplicateMessage: 'source_cluster_id:1:string, message:2:ImmutableMessage',
  ImmutableMessage: 'id:1:MessageID, payload:2:bytes, properties:3:map string*',
  MessageID: 'id:1:string, WAL_name:2:varint',
  DumpMessagesRequest:
    'pchannel:1:string, start_message_id:2:MessageID, start_timetick:3:varint, end_timetick:4:varint, include_start_message:5:varint',
  ComputePhraseMatchSlopRequest:
    'base:1:MsgBase, analyzer_params:2:string, query_text:3:string, data_texts:4:string*',
  CreateSnapshotRequest:
    'base:1:MsgBase, name:2:string, description:3:string, db_name:4:string, collection_name:5:string, compaction_protection_seconds:6:varint',
  DropSnapshotRequest: 'base:1:MsgBase, name:2:string, db_name:3:string, collection_name:4:string',
  ListSnapshotsRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  DescribeSnapshotRequest:
    'base:1:MsgBase, name:2:string, db_name:3:string, collection_name:4:string',
  RestoreSnapshotRequest:
    'base:1:MsgBase, name:2:string, db_name:3:string, collection_name:4:string, rewrite_data:5:varint, target_db_name:6:string, target_collection_name:7:string',
  RestoreExternalSnapshotRequest:
    'base:1:MsgBase, db_name:2:string, target_collection_name:3:string, snapshot_metadata_uri:4:string, external_spec:5:string',
  ExportSnapshotRequest:
    'base:1:MsgBase, name:2:string, db_name:3:string, collection_name:4:string, target_s3_path:5:string, external_spec:6:string',
  GetRestoreSnapshotStateRequest: 'base:1:MsgBase, job_id:2:varint',
  ListRestoreSnapshotJobsRequest: 'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  PinSnapshotDataRequest:
    'base:1:MsgBase, name:2:string, db_name:3:string, collection_name:4:string, ttl_seconds:5:varint',
  UnpinSnapshotDataRequest: 'base:1:MsgBase, pin_id:2:varint',
  AlterCollectionSchemaRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, collectionID:4:varint, action:5:Action',
  Action: 'add_request:1:AddRequest:op, drop_request:2:DropRequest:op',
  AddRequest:
    'field_infos:1:FieldInfo*, func_schema:2:FunctionSchema*, do_physical_backfill:3:varint',
  FieldInfo: 'field_schema:1:FieldSchema, index_name:2:string, extra_params:3:KeyValuePair*',
  DropRequest:
    'field_name:1:string:identifier, field_id:2:varint:identifier, function_name:3:string:identifier, drop_function_output_fields:4:varint',
  BatchUpdateManifestRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, field_names:4:string*, items:5:BatchUpdateManifestItem*',
  BatchUpdateManifestItem: 'segment_id:1:varint, manifest_version:2:varint',
  RefreshExternalCollectionRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string, external_source:4:string, external_spec:5:string',
  GetRefreshExternalCollectionProgressRequest: 'base:1:MsgBase, job_id:2:varint',
  ListRefreshExternalCollectionJobsRequest:
    'base:1:MsgBase, db_name:2:string, collection_name:3:string',
  ClientHeartbeatRequest:
    'client_info:1:ClientInfo, report_timestamp:2:varint, metrics:3:OperationMetrics*, command_replies:4:CommandReply*, config_hash:5:string, last_command_timestamp:6:varint',
  OperationMetrics: 'operation:1:string, global:2:Metrics, collection_metrics:3:map Metrics*',
  Metrics:
    'request_count:1:varint, success_count:2:varint, error_count:3:varint, avg_latency_ms:4:fixed64, p99_latency_ms:5:fixed64, max_latency_ms:6:fixed64',
  CommandReply: 'command_id:1:string, success:2:varint, error_message:3:string, payload:4:bytes',
  GetClientTelemetryRequest: 'database:1:string, client_id:2:string, include_metrics:3:varint',
  PushClientCommandRequest:
    'command_type:1:string, payload:2:bytes, target_client_id:3:string, target_database:4:string, ttl_seconds:5:varint, persistent:6:varint',
  DeleteClientCommandRequest: 'command_id:1:string',
  CollectionSchema:
    'name:1:string, description:2:string, autoID:3:varint, fields:4:FieldSchema*, enable_dynamic_field:5:varint, properties:6:KeyValuePair*, functions:7:FunctionSchema*, dbName:8:string, struct_array_fields:9:StructArrayFieldSchema*, version:10:varint, external_source:11:string, external_spec:12:string, do_physical_backfill:13:varint, file_resource_ids:14:varint*, enable_namespace:15:varint',
  GetExportSnapshotStateRequest: 'base:1:MsgBase, job_id:2:varint',
};
