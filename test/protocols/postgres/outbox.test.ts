import t from 'tap';
import { Outbox } from '../../../protocols/postgres/outbox.ts';

const BYTES = Buffer.from('x');

t.test('whatever the client gets is recorded before it is sent', async (t) => {
  const out = new Outbox();
  out.toClient(BYTES, Buffer.from('*'));
  out.answer(BYTES);
  t.same(out.take(), [
    { kind: 'record', from: 'server', bytes: Buffer.from('*') },
    { kind: 'send', to: 'client', bytes: BYTES },
    { kind: 'record', from: 'server', bytes: BYTES, by: 'gateway' },
    { kind: 'send', to: 'client', bytes: BYTES },
  ]);
  t.same(out.take(), []);
});

t.test('nothing follows a close', async (t) => {
  const out = new Outbox();
  out.refuse({ code: '42501', message: 'no' });
  out.toServer(BYTES);
  out.close();
  t.match(
    out.take().map(({ kind }) => kind),
    ['note', 'record', 'send', 'close'],
  );
});

t.test('a mute session is refused without a word (PG-12)', async (t) => {
  const out = new Outbox();
  out.isMute = true;
  out.refuse({ code: '42501', message: 'no' });
  t.match(
    out.take().map(({ kind }) => kind),
    ['note', 'close'],
  );
});

t.test('operation numbers are used once', async (t) => {
  const out = new Outbox();
  t.not(out.nextId(), out.nextId());
});
