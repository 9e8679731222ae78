import t from 'tap';
import { Outbox } from '../../../protocols/postgres/outbox.ts';
import { UpstreamLeg } from '../../../protocols/postgres/upstream-leg.ts';
import { message, sslRequest } from '../../support/raw-postgres.ts';

const FIRST = Buffer.from('first packet');

function newLeg(wantsTls: boolean): { out: Outbox; leg: UpstreamLeg } {
  const out = new Outbox();
  return { out, leg: new UpstreamLeg(out, wantsTls, FIRST) };
}

t.test('plain: open, then the first packet', async (t) => {
  const { out, leg } = newLeg(false);
  t.same(out.take(), [{ kind: 'open', side: 'server' }]);
  leg.onOpened();
  t.same(out.take(), [{ kind: 'send', to: 'server', bytes: FIRST }]);
});

t.test('TLS: asked for, set up, and only then the first packet', async (t) => {
  const { out, leg } = newLeg(true);
  leg.onOpened();
  leg.onBytes(Buffer.from('S'));
  t.match(out.take().slice(1), [
    { kind: 'send', bytes: sslRequest() },
    { kind: 'secure', side: 'server' },
  ]);
  t.throws(
    () => leg.onBytes(Buffer.from('x')),
    { code: 'PG_TLS_ANSWER' },
    'plain bytes behind the answer (PG-4)',
  );
  leg.onSecured(Buffer.from('hash'));
  t.same(out.take(), [{ kind: 'send', to: 'server', bytes: FIRST }]);
  t.same(leg.channelBinding, Buffer.from('hash'));
});

t.test('TLS refused or stuffed ends it (PG-4)', async (t) => {
  for (const [bytes, code] of [
    ['N', 'PG_TLS_REFUSED'],
    ['SS', 'PG_TLS_ANSWER'],
    ['E\0', 'PG_TLS_ANSWER'],
  ] as const) {
    const { leg } = newLeg(true);
    leg.onOpened();
    t.throws(() => leg.onBytes(Buffer.from(bytes)), { code, blame: 'server' }, bytes);
  }
  t.throws(
    () => newLeg(false).leg.onBytes(Buffer.from('x')),
    { code: 'PG_TLS_ANSWER' },
    'bytes before anything was asked',
  );
});

t.test('messages one at a time, whole, up to a limit', async (t) => {
  const { leg } = newLeg(false);
  leg.onOpened();
  const both = Buffer.concat([message('R', Buffer.alloc(4)), message('S', Buffer.from('a\0b\0'))]);
  leg.onBytes(both.subarray(0, 12));
  t.same(leg.nextMessage(), both.subarray(0, 9));
  t.equal(leg.nextMessage(), undefined);
  leg.onBytes(both.subarray(12));
  t.same(leg.nextMessage(), both.subarray(9));
  leg.onBytes(Buffer.from('R\x10\0\0\0'));
  t.throws(() => leg.nextMessage(), { code: 'PG_MESSAGE_TOO_LARGE' });
});
