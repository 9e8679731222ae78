/** A half whose connection is being made: what is said to it is said to the real one, in order. */
import t from 'tap';
import type { Half } from '../../../../lib/net/http/half.ts';
import { LateHalf } from '../../../../lib/net/http/late-half.ts';

class LoggingHalf implements Half {
  readonly log: string[] = [];
  isFull = false;
  queuedSize = 0;

  send(bytes: Buffer): void {
    this.log.push(`send ${bytes.toString()}`);
  }

  end(trailers: readonly (readonly [string, string])[]): void {
    this.log.push(`end ${JSON.stringify(trailers)}`);
  }

  abandon(code: number): void {
    this.log.push(`abandon ${code}`);
  }

  setPaused(isPaused: boolean): void {
    this.log.push(`paused ${isPaused}`);
  }
}

t.test('what was said early comes in its order, and it counts as full meanwhile', async (t) => {
  const late = new LateHalf();
  t.notOk(late.isFull, 'the first bytes may come');
  late.setPaused(true);
  late.send(Buffer.from('a'));
  t.ok(late.isFull);
  late.send(Buffer.from('b'));
  late.end([['x', 'y']]);
  const half = new LoggingHalf();
  late.become(half);
  t.same(half.log, ['paused true', 'send a', 'send b', 'end [["x","y"]]']);
  t.notOk(late.isFull);
  half.isFull = true;
  t.ok(late.isFull);
});

t.test('afterwards it passes everything on', async (t) => {
  const late = new LateHalf();
  const half = new LoggingHalf();
  late.become(half);
  late.send(Buffer.from('a'));
  late.setPaused(false);
  late.end([]);
  late.abandon(8);
  t.same(half.log, ['send a', 'paused false', 'end []', 'abandon 8']);
});

t.test('abandoned before there is anything, it holds nothing', async (t) => {
  const late = new LateHalf();
  late.send(Buffer.from('a'));
  late.abandon(8);
  t.ok(late.isAbandoned);
  late.send(Buffer.from('b'));
  t.notOk(late.isFull);
});
