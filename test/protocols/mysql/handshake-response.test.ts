import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { CAPABILITY } from '../../../protocols/mysql/capabilities.ts';
import { lenencBytes } from '../../../protocols/mysql/fields.ts';
import {
  encodeHead,
  encodeResponse,
  type HandshakeResponse,
  parseHead,
  parseResponse,
} from '../../../protocols/mysql/handshake-response.ts';

const BASE = CAPABILITY.protocol41 | CAPABILITY.secureConnection;
const ALL =
  BASE |
  CAPABILITY.connectWithDb |
  CAPABILITY.pluginAuth |
  CAPABILITY.lenencAuth |
  CAPABILITY.connectAttrs;

function attributes(...pairs: readonly string[]): Buffer {
  return Buffer.concat(pairs.map((text) => lenencBytes(Buffer.from(text))));
}

const RESPONSE: HandshakeResponse = {
  capabilities: ALL | (0x1dn << 32n),
  packetSizeMax: 0x4000_0000,
  collation: 45,
  user: Buffer.from('ann'),
  authResponse: Buffer.alloc(20, 9),
  database: Buffer.from('shop'),
  plugin: 'mysql_native_password',
  attributes: attributes('program_name', 'mysql', '_client_password', 'hush'),
};

function parse(payload: Buffer) {
  const head = parseHead(payload);
  if (head === undefined) throw new Error('not 4.1');
  return parseResponse(payload, head);
}

t.test('a response comes back as it was, with every mix of flags (MY-3)', async (t) => {
  t.same(parse(encodeResponse(RESPONSE)).response, RESPONSE);
  const plain = {
    ...RESPONSE,
    capabilities: BASE,
    database: Buffer.alloc(0),
    plugin: undefined,
    attributes: undefined,
  };
  t.same(parse(encodeResponse(plain)).response, plain);
  const short = { ...RESPONSE, capabilities: ALL & ~CAPABILITY.lenencAuth };
  t.same(parse(encodeResponse(short)).response, short);
  const long = { ...RESPONSE, authResponse: Buffer.alloc(300, 1) };
  t.same(parse(encodeResponse(long)).response, long, 'a ticket');
  t.throws(() => encodeResponse({ ...long, capabilities: BASE }), { code: 'MYSQL_AUTH_LENGTH' });
});

t.test('what is shown has no authentication and no secret attributes (GW-16)', async (t) => {
  const { shown } = parse(encodeResponse(RESPONSE));
  t.equal(shown.length, encodeResponse(RESPONSE).length);
  t.notOk(shown.includes(RESPONSE.authResponse));
  t.notOk(shown.includes('hush'));
  t.ok(shown.includes('program_name'));
});

t.test('clients of before 4.1 are told apart', async (t) => {
  t.equal(parseHead(Buffer.from('8500000000726f6f740000', 'hex')), undefined);
  t.equal(parseHead(encodeHead({ ...RESPONSE, capabilities: CAPABILITY.protocol41 })), undefined);
});

t.test('attributes have a limit', async (t) => {
  const big = attributes('name', 'x'.repeat(70_000));
  t.throws(() => parse(encodeResponse({ ...RESPONSE, attributes: big })), {
    code: 'MYSQL_ATTRIBUTES_SIZE',
  });
});

t.test('cut and changed responses give ProtocolError and nothing else', async () => {
  const bytes = encodeResponse(RESPONSE);
  fc.assert(
    fc.property(
      fc.nat(bytes.length),
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))),
      (size, edits) => {
        const payload = Buffer.from(bytes.subarray(0, size));
        for (const [offset, value] of edits) if (offset < size) payload[offset] = value;
        try {
          const head = parseHead(payload);
          return head === undefined || parseResponse(payload, head).shown.length === payload.length;
        } catch (error) {
          return error instanceof ProtocolError;
        }
      },
    ),
  );
});
