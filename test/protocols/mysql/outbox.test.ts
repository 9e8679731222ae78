import t from 'tap';
import { Outbox } from '../../../protocols/mysql/outbox.ts';

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

t.test('a refusal has the number that comes next, and nothing follows it (MY-11)', async (t) => {
  const out = new Outbox();
  out.sequence = 7;
  out.hasState = true;
  out.refuse({ code: '42501', message: 'no' });
  out.toServer(BYTES);
  out.close();
  const commands = out.take();
  t.same(
    commands.map(({ kind }) => kind),
    ['note', 'record', 'send', 'close'],
  );
  t.match(commands[2], { bytes: Buffer.from('\x0b\0\0\x07\xff\x76\x04#42000no', 'latin1') });
});

t.test('operation numbers are used once', async (t) => {
  const out = new Outbox();
  t.not(out.nextId(), out.nextId());
});
