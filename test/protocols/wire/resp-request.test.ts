import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { encodeRequest, RequestReader } from '../../../protocols/wire/resp-request.ts';

const LIMITS = { argumentCount: 1000, size: 1_000_000 };

function readAll(chunks: readonly Buffer[]): string[][] {
  const reader = new RequestReader();
  const found: string[][] = [];
  for (const chunk of chunks) {
    reader.add(chunk);
    for (let one = reader.next(LIMITS); one !== undefined; one = reader.next(LIMITS)) {
      found.push(one.arguments().map((bytes) => bytes.toString('latin1')));
    }
  }
  return found;
}

void t.test('any cut gives the same requests', async (t) => {
  const args = fc.array(
    fc.array(fc.string({ unit: 'binary', maxLength: 9 }), { minLength: 1, maxLength: 5 }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(args, fc.array(fc.nat({ max: 200 })), (requests, offsets) => {
      const texts = requests.map((parts) =>
        parts.map((part) => Buffer.from(part).toString('latin1')),
      );
      const bytes = Buffer.concat(requests.map((parts) => encodeRequest(parts)));
      const cuts = [
        0,
        ...offsets.filter((one) => one < bytes.length).toSorted((a, b) => a - b),
        bytes.length,
      ];
      const chunks = cuts
        .slice(1)
        .map((end, index) => Buffer.from(bytes.subarray(cuts[index], end)));
      t.strictSame(readAll(chunks), texts);
      t.strictSame(readAll([...bytes].map((byte) => Buffer.of(byte))), texts);
    }),
    { numRuns: 50 },
  );
});

void t.test('the bytes of a request are those that came, and stay', async (t) => {
  const reader = new RequestReader();
  const first = encodeRequest(['SET', 'a', 'x'.repeat(1000)]);
  for (const byte of first) reader.add(Buffer.of(byte));
  const request = reader.next(LIMITS);
  reader.add(encodeRequest(['GET', 'y'.repeat(5000)]));
  t.equal(reader.next(LIMITS)?.argument(1).length, 5000);
  t.ok(request?.bytes.equals(first));
  t.equal(request?.argument(7).length, 0);
  t.equal(reader.heldSize, 0);
});

void t.test('empty arrays are skipped, as servers do', async (t) => {
  t.same(readAll([Buffer.from('*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n')]), [['PING']]);
});

void t.test('what is refused, and as soon as it can be told', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['P', 'RESP_INLINE'],
    ['*+1\r', 'RESP_LENGTH'],
    ['*01\r', 'RESP_LENGTH'],
    ['*-2\r', 'RESP_LENGTH'],
    ['* 1\r', 'RESP_LENGTH'],
    ['*1001\r', 'RESP_LENGTH'],
    ['*99999999999999999', 'RESP_LENGTH'],
    ['*1\rX', 'RESP_REQUEST'],
    ['*1\r\n:', 'RESP_REQUEST'],
    ['*1\r\n$-1\r\n', 'RESP_LENGTH'],
    ['*1\r\n$1000001\r', 'RESP_LENGTH'],
    ['*1\r\n$0x1\r', 'RESP_LENGTH'],
    ['*1\r\n$1\r\naXX', 'RESP_REQUEST'],
    ['*2\r\n$600000\r\n' + 'x'.repeat(600_000) + '\r\n$600000\r\n', 'RESP_LENGTH'],
  ];
  for (const [bytes, code] of cases) {
    const reader = new RequestReader();
    reader.add(Buffer.from(bytes));
    try {
      reader.next(LIMITS);
      t.fail(bytes.slice(0, 40));
    } catch (error) {
      t.ok(error instanceof ProtocolError && error.code === code, bytes.slice(0, 40));
    }
  }
});
