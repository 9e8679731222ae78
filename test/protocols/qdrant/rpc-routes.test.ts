import type { DescField, DescMessage, DescService } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import t from 'tap';

import { READ_MESSAGES } from '../../../protocols/qdrant/rpc-messages.ts';
import { RPC_ROUTES } from '../../../protocols/qdrant/rpc-routes.ts';
import { OPERATIONS, WRITE_MESSAGES } from '../../../protocols/qdrant/rpc-writes.ts';
import { encodeBytes, encodeString, encodeVarint } from '../../../protocols/wire/protobuf.ts';
import { loadQdrantServices } from '../../support/qdrant-emulator-rpc.ts';
import { readRpc } from '../../support/qdrant-pipe.ts';

const services = await loadQdrantServices();
const methods = services.flatMap((service) => methodsOf(service));

function methodsOf(service: DescService): { name: string; input: DescMessage }[] {
  return service.methods.map(({ name, input }) => ({
    name: `${service.typeName}/${name}`,
    input,
  }));
}

t.test(
  'the table has the RPCs of the official client, and beside them health and reflection',
  async (t) => {
    const names = RPC_ROUTES.map(({ name }) => name);
    t.equal(new Set(names).size, names.length);
    const described = methods.map(({ name }) => name);
    t.ok(described.length > 45, `${described.length} RPCs`);
    t.same(
      described.filter((name) => !names.includes(name)),
      [],
      'a newer client has RPCs that the table must get',
    );
    t.same(names.filter((name) => !described.includes(name)).toSorted(), [
      'grpc.health.v1.Health/Check',
      'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    ]);
  },
);

t.test(
  'field numbers of requests are those of the descriptors, roles have the right names',
  async (t) => {
    const inputs = new Map(allMessages().map((message) => [message.name, message]));
    for (const [name, roles] of Object.entries(READ_MESSAGES)) {
      const fields = inputs.get(name)?.fields ?? [];
      t.same(
        [...roles.keys()].toSorted((one, other) => one - other),
        fields.map(({ number }) => number).toSorted((one, other) => one - other),
        name,
      );
      for (const { number, name: field } of fields) {
        const role = roles.get(number) ?? '';
        if (field === 'filter') t.equal(role, 'filter', `${name}.${field}`);
        if (field === 'with_vectors') t.equal(role, 'vectors', `${name}.${field}`);
        if (field === 'with_lookup') t.equal(role, 'with-lookup', `${name}.${field}`);
        if (field === 'lookup_from') t.equal(role, 'lookup-from', `${name}.${field}`);
        if (field === 'group_by') t.equal(role, 'group-by', `${name}.${field}`);
        if (field === 'collection_name') t.equal(role, 'collection', `${name}.${field}`);
      }
    }
    const operation = inputs.get('PointsUpdateOperation');
    t.same(
      [...OPERATIONS.keys()],
      operation?.fields.map(({ number }) => number),
    );
    t.equal(Object.keys(WRITE_MESSAGES).length, 8);
  },
);

/** One field at a time, at every depth: whatever the descriptors have must be known. */
t.test('no field of the descriptors is unknown to the reader', async (t) => {
  let count = 0;
  for (const { name, input } of methods) {
    for (const message of singles(input, new Set())) {
      const read = readRpc(name, message.bytes);
      count += 1;
      if (typeof read === 'string' && read.includes('does not know')) {
        t.fail(`${name}: ${message.path}`);
      }
    }
  }
  t.ok(count > 1000, `${count} messages`);
});

t.test(
  'a field that the descriptors do not have is refused in what reads and writes points',
  async (t) => {
    for (const { name } of RPC_ROUTES.filter(
      ({ body }) => body.kind === 'read' || body.kind === 'write',
    )) {
      for (const field of [encodeString(77, 'x'), encodeVarint(78, 1)]) {
        const read = readRpc(name, Buffer.concat([encodeString(1, 'c'), field]));
        t.match(read, /does not know/, name);
      }
    }
  },
);

t.test('a field that comes twice is refused', async (t) => {
  const twice = Buffer.concat([encodeString(1, 'mine'), encodeString(1, 'theirs')]);
  for (const { name, body } of RPC_ROUTES) {
    if (body.kind === 'none' || body.kind === 'aliases') continue;
    t.match(readRpc(name, twice), /twice/, name);
  }
});

function allMessages(): DescMessage[] {
  const found = new Map<string, DescMessage>();
  const add = (message: DescMessage): void => {
    if (found.has(message.typeName)) return;
    found.set(message.typeName, message);
    for (const field of message.fields) {
      const inner = messageIn(field);
      if (inner !== undefined) add(inner);
    }
  };
  for (const { input } of methods) add(input);
  return [...found.values()];
}

function messageIn(field: DescField): DescMessage | undefined {
  if (field.fieldKind === 'message') return field.message;
  if (field.fieldKind === 'list' || field.fieldKind === 'map') return field.message;
  return undefined;
}

interface Single {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Each type once: where it comes again, it is the same shape. */
function singles(message: DescMessage, seen: Set<string>): Single[] {
  if (seen.has(message.typeName)) return [];
  seen.add(message.typeName);
  return message.fields.flatMap((field) => {
    const path = `${message.name}.${field.name}`;
    const inner = messageIn(field);
    if (inner === undefined || field.fieldKind === 'map') {
      return [{ path, bytes: leafOf(field) }];
    }
    return [
      { path, bytes: encodeBytes(field.number, Buffer.alloc(0)) },
      ...singles(inner, seen).map((one) => ({
        path: `${path} > ${one.path}`,
        bytes: encodeBytes(field.number, one.bytes),
      })),
    ];
  });
}

function leafOf(field: DescField): Buffer {
  const scalar =
    field.fieldKind === 'scalar' || field.fieldKind === 'list' ? field.scalar : undefined;
  if (field.fieldKind === 'map') return encodeBytes(field.number, encodeString(1, 'k'));
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) {
    return encodeString(field.number, 'name');
  }
  if (field.fieldKind === 'list') return encodeBytes(field.number, Buffer.alloc(8));
  if (scalar === ScalarType.FLOAT || scalar === ScalarType.DOUBLE) {
    const isDouble = scalar === ScalarType.DOUBLE;
    return Buffer.concat([tagOf(field.number, isDouble ? 1 : 5), Buffer.alloc(isDouble ? 8 : 4)]);
  }
  return encodeVarint(field.number, 1);
}

function tagOf(number: number, wireType: number): Buffer {
  const [tag] = [encodeVarint(number, 0).subarray(0, -1)];
  const bytes = Buffer.from(tag ?? []);
  bytes[0] = (bytes[0] ?? 0) | wireType;
  return bytes;
}
