import t from 'tap';
import { REQUEST_MESSAGES } from '../../../protocols/milvus/request-messages.ts';
import { MESSAGE_FIELDS } from '../../../protocols/milvus/request-fields.ts';
import { RPCS, TELEMETRY_RPCS } from '../../../protocols/milvus/rpcs.ts';
import { findType, methods, packages } from '../../support/milvus-codec.ts';

/** In milvus-proto 9810b924 or pymilvus 3.0.2, and not in the Node SDK. */
const NEWER = [
  'GetExportSnapshotState',
  'UpdateRowPolicy',
  'SetRLSPrincipalTags',
  'GetRLSPrincipalTags',
  'DeleteRLSPrincipalTags',
  'ListRLSPrincipals',
];
const INDEX = '(common.privilege_ext_obj).object_name_index';
const INDEXES = '(common.privilege_ext_obj).object_name_indexs';
/** Their annotation means a user, or is of an alias that is named elsewhere. */
const OF_USERS = new Set([
  'UpdateCredential',
  'SelectUser',
  'AddUserTags',
  'DeleteUserTags',
  'GetUserTags',
]);

t.test(
  'the table has every RPC of the installed SDK, and no others but the newer ones',
  async (t) => {
    const telemetry = Object.keys(
      packages['milvus']?.nested?.['ClientTelemetryService']?.methods ?? {},
    );
    const known = Object.keys(methods);
    t.ok(known.length >= 143, 'the descriptors were found');
    const inTable = Object.keys(RPCS);
    t.same(
      known.filter((rpc) => !inTable.includes(rpc)),
      [],
      'RPCs that the table lacks',
    );
    const others = inTable.filter((rpc) => !known.includes(rpc) && !TELEMETRY_RPCS.has(rpc));
    t.same(others.toSorted(), NEWER.toSorted());
    t.same(
      telemetry.filter((rpc) => !TELEMETRY_RPCS.has(rpc)),
      ['ClientHeartbeat'],
    );
  },
);

t.test('where the server has a name for its own rights, the table has that field', async (t) => {
  let count = 0;
  for (const [rpc, { requestType }] of Object.entries(methods)) {
    const { options = {}, fields = {} } = findType(requestType);
    const index = Number(options[INDEX] ?? options[INDEXES] ?? -1);
    if (index < 0 || OF_USERS.has(rpc)) continue;
    count += 1;
    const name = Object.entries(fields).find(([, { id }]) => id === index)?.[0];
    const names = RPCS[rpc]?.places.map((place) => place.names);
    t.ok(name !== undefined && names?.includes(name), `${rpc}: ${name} among ${String(names)}`);
  }
  t.ok(count >= 50, `${count} annotations were found`);
});

t.test(
  'a field that looks like the name of a collection or database is in the table',
  async (t) => {
    const looks =
      /^(?:collection_?names?|oldName|newName|alias|target_collection_name|newDBName|target_db_name)$/i;
    for (const [rpc, row] of Object.entries(RPCS)) {
      if (row.places.some(({ effects }) => effects.includes('admin'))) continue;
      const fields = (MESSAGE_FIELDS[REQUEST_MESSAGES[rpc] ?? ''] ?? '').split(', ');
      const named = fields
        .map((field) => field.split(':')[0] ?? '')
        .filter((name) => looks.test(name));
      const known = row.places.flatMap(({ names, db }) => [names, db]);
      t.same(
        named.filter((name) => !known.includes(name)),
        [],
        rpc,
      );
    }
  },
);

t.test('every place names fields that the message has', async (t) => {
  for (const [rpc, row] of Object.entries(RPCS)) {
    const fields = (MESSAGE_FIELDS[REQUEST_MESSAGES[rpc] ?? ''] ?? '').split(', ');
    const known = fields.map((field) => field.split(':')[0]);
    for (const { names, ids, db } of row.places) {
      for (const name of [names, ids, db]) {
        if (name !== undefined && row.isUndescribed !== true)
          t.ok(known.includes(name), `${rpc}.${name}`);
      }
    }
  }
});
