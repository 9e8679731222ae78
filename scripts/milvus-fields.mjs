// Writes protocols/milvus/request-messages.ts and request-fields.ts: which fields each request message of Milvus has, from the
// descriptors in the installed Node SDK and the few that it lacks. Run by hand after an update of the SDK;
// a test fails where the two have drifted apart.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** In pymilvus 3.0.2, not yet in the Node SDK 3.0.6. */
const NEWER_RPCS = { GetExportSnapshotState: 'GetExportSnapshotStateRequest' };
const NEWER_FIELDS = {
  GetExportSnapshotStateRequest: ['base:1:MsgBase', 'job_id:2:varint'],
  GetCompactionPlansRequest: [
    'db_name:2:string',
    'collection_name:3:string',
    'collection_id:4:varint',
  ],
  GetPersistentSegmentInfoRequest: ['states:4:varint*'],
};
/** Messages that stand in fields of the type `bytes`: the schema of CreateCollection. */
const INNER_MESSAGES = ['schema.CollectionSchema'];
const VARINTS = new Set(['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'bool']);
const WIRE_NAMES = {
  double: 'fixed64',
  fixed64: 'fixed64',
  sfixed64: 'fixed64',
  float: 'fixed32',
  fixed32: 'fixed32',
};

/** The descriptors of the installed SDK. */
export function descriptors() {
  const loaded = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.js');
  return (loaded.default ?? loaded).nested.milvus.nested.proto.nested;
}

export function generate(packages = descriptors()) {
  const messages = new Map();
  const definitions = new Map();
  const visit = (name, around) => {
    const { key, found } = lookUp(packages, name, around);
    if (found === undefined) throw new Error(`no message ${name}`);
    if (found.values !== undefined) return 'varint';
    if (messages.has(key)) {
      if (definitions.get(key) !== found) throw new Error(`two messages are called ${key}`);
      return key;
    }
    definitions.set(key, found);
    const fields = [];
    messages.set(key, fields);
    const choices = choicesOf(found);
    for (const [field, { id, type, rule, keyType }] of Object.entries(found.fields ?? {})) {
      const kind = kindOf(type, (inner) => visit(inner, [...around, found]));
      const isList = rule === 'repeated' || keyType !== undefined;
      const written = keyType === undefined ? kind : keyType === 'string' ? `map ${kind}` : 'bytes';
      const choice = choices.get(field);
      fields.push(
        `${field}:${id}:${written}${isList ? '*' : ''}${choice === undefined ? '' : `:${choice}`}`,
      );
    }
    return key;
  };
  const services = packages.milvus.nested;
  const requests = {};
  for (const service of ['MilvusService', 'ClientTelemetryService']) {
    for (const [rpc, { requestType }] of Object.entries(services[service].methods)) {
      requests[rpc] = visit(requestType, [packages.milvus]);
    }
  }
  for (const name of INNER_MESSAGES) visit(name, []);
  for (const [message, fields] of Object.entries(NEWER_FIELDS)) {
    messages.set(message, [...(messages.get(message) ?? []), ...fields]);
  }
  Object.assign(requests, NEWER_RPCS);
  return { messages, requests };
}

/** Of the fields of which only one may come, the name of that choice; those of one field are no choice. */
function choicesOf({ oneofs = {} }) {
  return new Map(
    Object.entries(oneofs)
      .filter(([, { oneof }]) => oneof.length > 1)
      .flatMap(([name, { oneof }]) => oneof.map((field) => [field, name])),
  );
}

function kindOf(type, visit) {
  if (VARINTS.has(type)) return 'varint';
  if (type in WIRE_NAMES) return WIRE_NAMES[type];
  return type === 'string' || type === 'bytes' ? type : visit(type);
}

/** `schema.FieldData`, `SearchRequest`, or a message inside one of those around it. */
function lookUp(packages, name, around) {
  const parts = name.split('.').filter((part) => !['milvus', 'proto'].includes(part));
  for (const root of [...around.toReversed(), ...Object.values(packages), { nested: packages }]) {
    let found = root;
    for (const part of parts) found = found?.nested?.[part];
    if (found !== undefined) return { key: parts.at(-1), found };
  }
  return { key: name, found: undefined };
}

const HEAD =
  'Written by scripts/milvus-fields.mjs from the descriptors of the Milvus Node SDK, not by hand';

export function renderRequests({ requests }) {
  return [
    `/** Of each RPC of Milvus, the message that it is asked with. ${HEAD}. */`,
    'export const REQUEST_MESSAGES: Readonly<Record<string, string>> = {',
    ...Object.entries(requests).map(([rpc, message]) => `  ${rpc}: '${message}',`),
    '};',
    '',
  ].join('\n');
}

export function renderFields({ messages }) {
  return [
    `/** Of each message in a request, \`name:number:kind\` of its fields, \`*\` for repeated ones, and the choice (oneof) that one is of. ${HEAD}. */`,
    'export const MESSAGE_FIELDS: Readonly<Record<string, string>> = {',
    ...[...messages].map(([message, fields]) => `  ${message}: '${fields.join(', ')}',`),
    '};',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const generated = generate();
  const folder = new URL('../protocols/milvus/', import.meta.url);
  writeFileSync(new URL('request-messages.ts', folder), renderRequests(generated));
  writeFileSync(new URL('request-fields.ts', folder), renderFields(generated));
}
