import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { CAPABILITY } from '../../../protocols/mysql/capabilities.ts';
import { lenencBytes } from '../../../protocols/mysql/fields.ts';
import { parseOk, signedInOk, withoutRedirect } from '../../../protocols/mysql/ok-packet.ts';

const TRACK = CAPABILITY.sessionTrack;
const text = (value: string): Buffer => lenencBytes(Buffer.from(value, 'latin1'));
const variable = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0), lenencBytes(Buffer.concat([text(name), text(value)]))]);
const schema = (name: string): Buffer => Buffer.concat([Buffer.of(1), lenencBytes(text(name))]);

function ok(info: string, ...entries: readonly Buffer[]): Buffer {
  const state = entries.length === 0 ? [] : [lenencBytes(Buffer.concat(entries))];
  const status = entries.length === 0 ? 0x02 : 0x40;
  const low = entries.length === 0 ? Buffer.of(status, 0) : Buffer.of(2, status);
  return Buffer.concat([Buffer.of(0, 3, 7), low, Buffer.of(1, 0), text(info), ...state]);
}

t.test('what an OK says (MY-26, MY-27)', async (t) => {
  const plain = Buffer.concat([Buffer.of(0, 3, 7, 2, 0, 1, 0), Buffer.from('Records: 1')]);
  t.match(parseOk(plain, 0n), { affectedRows: 3n, lastInsertId: 7n, status: 2, warnings: 1 });
  t.equal(parseOk(plain, 0n).info.toString(), 'Records: 1');
  const { info, tracked } = parseOk(
    ok(
      'x',
      schema('shop'),
      variable('Character_Set_Client', 'utf8mb4'),
      variable('autocommit', 'ON'),
    ),
    TRACK,
  );
  t.equal(info.toString(), 'x');
  t.equal(tracked.schema, 'shop');
  t.same(
    [...tracked.variables],
    [
      ['character_set_client', 'utf8mb4'],
      ['autocommit', 'ON'],
    ],
  );
  t.equal(parseOk(ok('', schema('')), TRACK).tracked.schema, '', 'no database any more');
  t.equal(parseOk(Buffer.of(0, 0, 0, 2, 0, 0, 0), TRACK).tracked.schema, undefined);
});

t.test('no OK sends a client to another server (MY-18)', async (t) => {
  const redirect = variable('REDIRECT_URL', 'mysql://other:3306');
  const kept = ok('', schema('a'), variable('x', 'y'));
  t.same(withoutRedirect(ok('', schema('a'), redirect, variable('x', 'y')), TRACK), kept);
  const both = Buffer.concat([text('redirect_url'), text('mysql://other'), text('x'), text('y')]);
  const joined = ok('', schema('a'), Buffer.concat([Buffer.of(0), lenencBytes(both)]));
  t.same(withoutRedirect(joined, TRACK), kept, 'several variables in one entry');
  const alone = parseOk(withoutRedirect(ok('', redirect), TRACK), TRACK);
  t.equal(alone.status & 0x4000, 0, 'nothing is left to tell');
  const azure = withoutRedirect(ok('Location: mysql://other:3306/user=x'), TRACK);
  t.equal(parseOk(azure, TRACK).info.length, 0);
  const plain = ok('Records: 2', schema('a'));
  t.equal(withoutRedirect(plain, TRACK), plain, 'the same buffer where there is none');
});

t.test('the hash of the gateway’s own password stays here (MY-6)', async (t) => {
  const payload = ok('\x01abcdef');
  t.equal(signedInOk(payload, TRACK, true).bytes, payload);
  t.equal(parseOk(signedInOk(payload, TRACK, false).bytes, TRACK).info.length, 0);
});

t.test('nobody is sent to another server by the OK of a sign-in (MY-18)', async (t) => {
  const payload = ok('\x01abcdef', variable('redirect_url', 'mysql://elsewhere'));
  for (const isPassthrough of [false, true])
    t.notOk(signedInOk(payload, TRACK, isPassthrough).bytes.includes('elsewhere'));
});

t.test('hostile OKs give ProtocolError and nothing else', async () => {
  const bytes = ok('redirect_url', schema('shop'), variable('redirect_url', 'mysql://x'));
  fc.assert(
    fc.property(
      fc.nat(bytes.length),
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))),
      (size, edits) => {
        const payload = Buffer.from(bytes.subarray(0, size));
        for (const [offset, value] of edits) if (offset < size) payload[offset] = value;
        try {
          return withoutRedirect(payload, TRACK).length <= payload.length;
        } catch (error) {
          return error instanceof ProtocolError;
        }
      },
    ),
  );
});
