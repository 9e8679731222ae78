/**
 * Each RPC of Milvus: what it does, to what, and where its request says so. Sources: the service's proto with
 * its `privilege_ext_obj` annotations, and by hand where those are wrong or missing (vector.md 2.2). Names of
 * request fields, no numbers: those come from the descriptors (`request-fields.ts`). No behaviour.
 */

import type { StoreEffect } from '../store.ts';

/** What comes back in an answer, so how it is masked. `raw`: stored values in a form that cannot be masked. */
export type AnswerKind = 'plain' | 'search' | 'query' | 'describe' | 'describe-batch' | 'raw';

/** Where one thing is named, and what happens to it. */
export interface RpcPlace {
  readonly effects: readonly StoreEffect[];
  /** Fields with names or aliases of collections (repeated ones count each), and with numbers of collections. */
  readonly names?: string;
  readonly ids?: string;
  /** The field with the database; undefined: none has, the metadata tells. */
  readonly db?: string;
  /** Where no name and no number came: all of that database, or of the store. */
  readonly otherwise: 'database' | 'store';
}

export interface RpcRow {
  readonly places: readonly RpcPlace[];
  readonly answer: AnswerKind;
  readonly changesNames?: boolean;
  /** It has readers of its own (`data-requests.ts`). */
  readonly isData?: boolean;
  /** Messages on it go both ways as long as they like: its head says all that is looked at. */
  readonly isStream?: boolean;
  /** Not in any descriptor that was at hand: all of the store. */
  readonly isUndescribed?: boolean;
  /** Stored values come to lie under another name, or outside (StoreRequest.carries). */
  readonly carries?: string;
}

function row(places: readonly RpcPlace[], more: Partial<RpcRow> = {}): RpcRow {
  return { places, answer: 'plain', ...more };
}

type Effects = StoreEffect | readonly StoreEffect[];

function listOf(effects: Effects): readonly StoreEffect[] {
  return typeof effects === 'string' ? [effects] : effects;
}

function place(effects: Effects, names: string, db: string | undefined = 'db_name'): RpcPlace {
  return {
    effects: listOf(effects),
    names,
    otherwise: 'store',
    ...(db === undefined ? {} : { db }),
  };
}

/** On the collection named in the usual field. */
function on(effects: Effects, more: Partial<RpcRow> = {}): RpcRow {
  return row([place(effects, 'collection_name')], more);
}

/** By name, or by number. */
function onEither(effects: Effects, more: Partial<RpcRow> = {}, ids = 'collectionID'): RpcRow {
  return row([{ ...place(effects, 'collection_name'), ids }], more);
}

function inDatabase(effects: Effects, more: Partial<RpcRow> = {}): RpcRow {
  return row([{ effects: listOf(effects), db: 'db_name', otherwise: 'database' }], more);
}

/** On the store as a whole, or on a job whose collection the request does not tell. */
function onStore(effects: Effects, more: Partial<RpcRow> = {}): RpcRow {
  return row([{ effects: listOf(effects), otherwise: 'store' }], more);
}

/** No data of anyone: clients call it when they connect. */
const NOTHING = row([]);
const ADMIN = onStore('admin');
/** It takes records out of something that the request does not name, or that nobody can check. */
const UNKNOWN_SOURCE: RpcPlace = { effects: ['export'], otherwise: 'store' };
export const RENAMES = 'its records are found under another name afterwards';
const RESTORES = 'records of a snapshot are found under another name afterwards';
export const BRINGS_IN =
  'files that it names may hold records of any collection, under another name then';
export const TAKES_OUT = 'its records leave the store as they are';
export const FUNCTION = 'what a function makes of a field is found under another name';
/** Snapshots, files and manifests are of any origin: their records come in under the name of this one. */
function fillingFromFiles(effects: Effects): RpcRow {
  return row([place(effects, 'collection_name'), UNKNOWN_SOURCE], { carries: BRINGS_IN });
}
const UNDESCRIBED = onStore('admin', { isUndescribed: true });

export const RPCS: Readonly<Record<string, RpcRow>> = {
  // Health, and what clients ask when they connect.
  Connect: NOTHING,
  GetVersion: NOTHING,
  CheckHealth: NOTHING,
  GetComponentStates: NOTHING,
  AllocTimestamp: NOTHING,
  ComputePhraseMatchSlop: NOTHING,

  // Collections.
  CreateCollection: on('create', { changesNames: true }),
  DropCollection: on('drop', { changesNames: true }),
  TruncateCollection: on('drop'),
  HasCollection: on('describe'),
  DescribeCollection: onEither('describe', { answer: 'describe' }),
  BatchDescribeCollection: onEither('describe', { answer: 'describe-batch' }),
  ShowCollections: row([
    { effects: ['describe'], db: 'db_name', otherwise: 'database' },
    { ...place('describe', 'collection_names'), otherwise: 'database' },
  ]),
  GetCollectionStatistics: on('count'),
  LoadCollection: on('alter'),
  ReleaseCollection: on('alter'),
  AlterCollection: onEither('alter'),
  AlterCollectionField: on('alter'),
  AlterCollectionSchema: onEither('alter', { carries: FUNCTION }),
  AddCollectionField: onEither('alter'),
  AddCollectionStructField: onEither('alter'),
  AddCollectionFunction: onEither('alter', { carries: FUNCTION }),
  AlterCollectionFunction: onEither('alter', { carries: FUNCTION }),
  DropCollectionFunction: onEither('drop'),
  RenameCollection: row(
    [
      place('alter', 'oldName'),
      { ...place('create', 'newName', 'newDBName'), otherwise: 'database' },
    ],
    { changesNames: true, carries: RENAMES },
  ),
  Flush: row([place('alter', 'collection_names')]),
  FlushAll: onStore('alter'),
  GetFlushState: on('describe'),
  GetFlushAllState: onStore('describe'),
  GetLoadingProgress: on('describe'),
  GetLoadState: on('describe'),
  GetReplicas: onEither('describe'),
  Prewarm: on('alter'),
  DescribePrewarmTask: onStore('describe'),
  ManualCompaction: onEither('alter'),
  GetCompactionState: onStore('describe'),
  GetCompactionStateWithPlans: onEither('describe', {}, 'collection_id'),

  // Partitions and namespaces.
  CreatePartition: on('create'),
  DropPartition: on('drop'),
  HasPartition: on('describe'),
  ShowPartitions: onEither('describe'),
  LoadPartitions: on('alter'),
  ReleasePartitions: on('alter'),
  GetPartitionStatistics: on('count'),
  CreateNamespace: on('create'),
  DropNamespace: on('drop'),
  HasNamespace: on('describe'),
  DescribeNamespace: on('describe'),
  ListNamespaces: on('describe'),
  GetNamespaceStats: on('count'),

  // Aliases: the alias is a name of a collection, too.
  CreateAlias: row([place('alter', 'collection_name'), place('create', 'alias')], {
    changesNames: true,
  }),
  AlterAlias: row([place('alter', 'collection_name'), place('alter', 'alias')], {
    changesNames: true,
  }),
  DropAlias: row([place('drop', 'alias')], { changesNames: true }),
  DescribeAlias: row([place('describe', 'alias')]),
  ListAliases: row([{ ...place('describe', 'collection_name'), otherwise: 'database' }]),

  // Indexes.
  CreateIndex: on('alter'),
  AlterIndex: on('alter'),
  DropIndex: on('drop'),
  DescribeIndex: on('describe'),
  GetIndexStatistics: on('describe'),
  GetIndexState: on('describe'),
  GetIndexBuildProgress: on('describe'),

  // Records.
  Insert: on('upsert', { isData: true }),
  Upsert: on('upsert', { isData: true }),
  Delete: on('delete', { isData: true }),
  Search: on('search', { isData: true, answer: 'search' }),
  HybridSearch: on('search', { isData: true, answer: 'search' }),
  Query: on('read', { isData: true, answer: 'query' }),
  CalcDistance: onStore('search', { isData: true }),
  RunAnalyzer: row([{ ...place('describe', 'collection_name'), otherwise: 'database' }]),
  Import: fillingFromFiles(['upsert', 'admin']),
  ListImportTasks: on('describe'),
  GetImportState: onStore('describe'),
  BatchUpdateManifest: fillingFromFiles(['upsert', 'admin']),
  RefreshExternalCollection: fillingFromFiles(['upsert', 'admin']),
  GetRefreshExternalCollectionProgress: onStore('describe'),
  ListRefreshExternalCollectionJobs: on('describe'),

  // Databases.
  CreateDatabase: inDatabase('create', { changesNames: true }),
  DropDatabase: inDatabase('drop', { changesNames: true }),
  AlterDatabase: inDatabase('alter'),
  DescribeDatabase: inDatabase('describe'),
  ListDatabases: onStore('describe'),

  // Snapshots, backups and streams: records leave the store, or come in, past every mask.
  CreateSnapshot: on('export'),
  DropSnapshot: on('drop'),
  ListSnapshots: on('describe'),
  DescribeSnapshot: on('describe'),
  RestoreSnapshot: row(
    [
      // Servers before 3.0 restore into `collection_name`, and the name of the snapshot is all that they look at.
      UNKNOWN_SOURCE,
      place(['export', 'create'], 'collection_name'),
      place('create', 'target_collection_name', 'target_db_name'),
    ],
    { changesNames: true, carries: RESTORES },
  ),
  RestoreExternalSnapshot: row(
    [place(['create', 'admin'], 'target_collection_name'), UNKNOWN_SOURCE],
    { changesNames: true, carries: BRINGS_IN },
  ),
  GetRestoreSnapshotState: onStore('describe'),
  ListRestoreSnapshotJobs: on('describe'),
  ExportSnapshot: on('export', { carries: TAKES_OUT }),
  GetExportSnapshotState: onStore('describe'),
  PinSnapshotData: on('export'),
  UnpinSnapshotData: ADMIN,
  DumpMessages: onStore(['export', 'admin'], { answer: 'raw', carries: TAKES_OUT }),
  CreateReplicateStream: onStore(['upsert', 'admin'], { isStream: true }),
  ReplicateMessage: onStore(['upsert', 'admin']),
  // Another store gets everything then.
  UpdateReplicateConfiguration: onStore(['export', 'admin'], { carries: TAKES_OUT }),
  GetReplicateConfiguration: ADMIN,
  GetReplicateInfo: ADMIN,
  BackupRBAC: ADMIN,
  RestoreRBAC: ADMIN,

  // Users, roles, rules of the store itself.
  CreateCredential: ADMIN,
  UpdateCredential: ADMIN,
  DeleteCredential: ADMIN,
  ListCredUsers: ADMIN,
  CreateRole: ADMIN,
  AlterRole: ADMIN,
  DropRole: ADMIN,
  OperateUserRole: ADMIN,
  SelectRole: ADMIN,
  SelectUser: ADMIN,
  OperatePrivilege: ADMIN,
  OperatePrivilegeV2: ADMIN,
  SelectGrant: ADMIN,
  CreatePrivilegeGroup: ADMIN,
  DropPrivilegeGroup: ADMIN,
  ListPrivilegeGroups: ADMIN,
  OperatePrivilegeGroup: ADMIN,
  AddUserTags: ADMIN,
  DeleteUserTags: ADMIN,
  GetUserTags: ADMIN,
  ListUsersWithTag: ADMIN,
  CreateRowPolicy: on('admin'),
  DropRowPolicy: on('admin'),
  ListRowPolicies: on('admin'),
  UpdateRowPolicy: UNDESCRIBED,
  SetRLSPrincipalTags: UNDESCRIBED,
  GetRLSPrincipalTags: UNDESCRIBED,
  DeleteRLSPrincipalTags: UNDESCRIBED,
  ListRLSPrincipals: UNDESCRIBED,

  // The cluster. `Dummy` runs queries that its text holds.
  CreateResourceGroup: ADMIN,
  DropResourceGroup: ADMIN,
  UpdateResourceGroups: ADMIN,
  TransferNode: ADMIN,
  TransferReplica: on('admin'),
  ListResourceGroups: ADMIN,
  DescribeResourceGroup: ADMIN,
  LoadBalance: row([place('admin', 'collectionName')]),
  GetPersistentSegmentInfo: row([place('admin', 'collectionName', 'dbName')]),
  GetQuerySegmentInfo: row([place('admin', 'collectionName', 'dbName')]),
  ListIndexedSegment: ADMIN,
  DescribeSegmentIndexData: ADMIN,
  GetMetrics: ADMIN,
  RegisterLink: ADMIN,
  Dummy: onStore(['read', 'admin'], { answer: 'raw' }),
  AddFileResource: ADMIN,
  RemoveFileResource: ADMIN,
  ListFileResources: ADMIN,
  GetClientTelemetry: ADMIN,
  PushClientCommand: ADMIN,
  DeleteClientCommand: ADMIN,
};

/** RPCs of the service for telemetry; `ClientHeartbeat` is not among them: it is refused as not there. */
export const TELEMETRY_RPCS: ReadonlySet<string> = new Set([
  'GetClientTelemetry',
  'PushClientCommand',
  'DeleteClientCommand',
]);
