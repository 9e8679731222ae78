/** The server's leg alone: numbers, TLS in its place, and what a server must not do. */

import t from 'tap';
import { CAPABILITY, has } from '../../../protocols/mysql/capabilities.ts';
import { encodeGreeting } from '../../../protocols/mysql/greeting.ts';
import {
  encodeResponse,
  FIXED_SIZE,
  type HandshakeResponse,
  parseHead,
} from '../../../protocols/mysql/handshake-response.ts';
import { Outbox } from '../../../protocols/mysql/outbox.ts';
import { encodePacket } from '../../../protocols/mysql/packet.ts';
import { SignInUpstream } from '../../../protocols/mysql/sign-in-upstream.ts';
import { sentTo } from '../../support/play.ts';

const RESPONSE: HandshakeResponse = {
  capabilities: CAPABILITY.protocol41 | CAPABILITY.secureConnection | CAPABILITY.pluginAuth,
  packetSizeMax: 1 << 24,
  collation: 45,
  user: Buffer.from('weir'),
  authResponse: Buffer.alloc(20, 1),
  database: Buffer.alloc(0),
  plugin: 'mysql_native_password',
  attributes: Buffer.alloc(0),
};
const GREETING = encodeGreeting({
  version: '8.0.36',
  connectionId: 7,
  nonce: Buffer.from('abcdefgh123456789012'),
  capabilities: 0xdfff_f7ffn,
  collation: 255,
  status: 2,
  plugin: 'caching_sha2_password',
});

function greeted(wantsTls: boolean): { out: Outbox; upstream: SignInUpstream } {
  const out = new Outbox();
  const upstream = new SignInUpstream(out, wantsTls);
  upstream.open();
  upstream.push(encodePacket(GREETING, 0));
  upstream.read();
  out.take();
  return { out, upstream };
}

t.test('packets are numbered, and a command begins anew (MY-11)', async (t) => {
  const { out, upstream } = greeted(false);
  upstream.respond(RESPONSE);
  t.same(sentTo('server', out.take()), encodePacket(encodeResponse(RESPONSE), 1));
  upstream.push(encodePacket(Buffer.of(0), 2));
  t.same(upstream.read(), Buffer.of(0));
  t.equal(upstream.read(), undefined);
  upstream.sendCommand(Buffer.of(0x1f));
  t.same(sentTo('server', out.take()), encodePacket(Buffer.of(0x1f), 0));
  upstream.push(Buffer.concat([encodePacket(Buffer.of(0), 1), Buffer.from('rest')]));
  t.same(upstream.read(), Buffer.of(0));
  t.equal(upstream.takeRest().toString(), 'rest');
  upstream.push(encodePacket(Buffer.of(0), 7));
  t.throws(() => upstream.read(), { code: 'MYSQL_SEQUENCE' });
});

t.test('TLS: its request has the flags of the response, which waits for it (MY-4)', async (t) => {
  const { out, upstream } = greeted(true);
  upstream.respond(RESPONSE);
  const commands = out.take();
  const request = sentTo('server', commands);
  t.equal(request.length, 4 + FIXED_SIZE, 'nothing of the user before TLS');
  t.equal(request[3], 1);
  t.ok(has(parseHead(request.subarray(4))?.capabilities ?? 0n, CAPABILITY.ssl));
  t.match(commands.at(-1), { kind: 'secure', side: 'server' });
  t.throws(() => upstream.push(Buffer.of(0)), { code: 'MYSQL_TLS_ORDER' });
  upstream.onSecured();
  const sent = sentTo('server', out.take());
  const capabilities = RESPONSE.capabilities | CAPABILITY.ssl;
  t.same(sent, encodePacket(encodeResponse({ ...RESPONSE, capabilities }), 2));
});

t.test(
  'a server without TLS, and one that speaks before it, are refused where it is wanted',
  async (t) => {
    t.throws(() => new SignInUpstream(new Outbox(), true).readGreeting(GREETING), {
      code: 'MYSQL_TLS_REFUSED',
    });
    t.equal(new SignInUpstream(new Outbox(), false).readGreeting(GREETING).connectionId, 7);
    const { upstream } = greeted(true);
    upstream.push(encodePacket(Buffer.of(0), 2));
    t.throws(() => upstream.respond(RESPONSE), { code: 'MYSQL_TLS_ORDER' });
  },
);
