import fc from 'fast-check';
import t from 'tap';
import {
  checkPreamble,
  decodeFrame,
  encodeFrame,
  encodePreamble,
  FORMAT_VERSION,
  FRAME_HEAD_SIZE,
  FRAME_KINDS,
  FRAME_OVERHEAD_SIZE,
  FRAME_PAYLOAD_SIZE_MAX,
  type FrameKind,
  isDamage,
} from '../../../lib/recording/format.ts';

interface Piece {
  readonly kind: FrameKind;
  readonly flags: number;
  readonly at: number;
  readonly payload: Uint8Array;
}

const KINDS: FrameKind[] = ['header', 'client', 'server', 'note', 'seal', 'end'];
const piece: fc.Arbitrary<Piece> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    flags: fc.nat(3),
    at: fc.nat({ max: 2 ** 48 - 1 }),
    payload: fc.uint8Array({ maxLength: 60 }),
  })
  .map((made) => (made.kind === 'client' || made.kind === 'server' ? made : { ...made, flags: 0 }));

function encode(pieces: readonly Piece[]): { bytes: Buffer; ends: number[] } {
  const size = pieces.reduce((sum, { payload }) => sum + payload.length + FRAME_OVERHEAD_SIZE, 0);
  const bytes = Buffer.alloc(size);
  const ends: number[] = [];
  let offset = 0;
  for (const { kind, flags, at, payload } of pieces) {
    const source = Buffer.from(payload);
    offset = encodeFrame(bytes, offset, {
      kind: FRAME_KINDS[kind],
      flags,
      at,
      source,
      start: 0,
      end: source.length,
    });
    ends.push(offset);
  }
  return { bytes, ends };
}

function decode(bytes: Buffer): { pieces: Piece[]; rest: 'nothing' | 'torn' | 'damaged' } {
  const pieces: Piece[] = [];
  let offset = 0;
  for (;;) {
    const frame = decodeFrame(bytes, offset, bytes.length);
    if (frame === undefined) return { pieces, rest: offset === bytes.length ? 'nothing' : 'torn' };
    if (isDamage(frame)) return { pieces, rest: 'damaged' };
    const flags = (frame.isByGateway ? 1 : 0) | (frame.isContinued ? 2 : 0);
    const payload = Uint8Array.from(bytes.subarray(frame.payloadStart, frame.payloadEnd));
    pieces.push({ kind: frame.kind, flags, at: frame.at, payload });
    offset += frame.size;
  }
}

t.test('any frames come back as they went in', async (t) => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const decoded = decode(encode(pieces).bytes);
      t.same(decoded.pieces, pieces);
      t.equal(decoded.rest, 'nothing');
    }),
    { numRuns: 100 },
  );
});

t.test('a file cut at any byte gives the whole frames ahead of the cut', async () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
      const { bytes, ends } = encode(pieces);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const { pieces: found, rest } = decode(bytes.subarray(0, cut));
        const whole = ends.filter((end) => end <= cut).length;
        const isAtEnd = cut === 0 || ends.includes(cut);
        if (found.length !== whole || rest !== (isAtEnd ? 'nothing' : 'torn')) return false;
      }
      return true;
    }),
    { numRuns: 40 },
  );
});

t.test('no altered bit goes unnoticed', async () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), fc.nat(7), (pieces, bit) => {
      const { bytes } = encode(pieces);
      for (let index = 0; index < bytes.length; index += 1) {
        const altered = Buffer.from(bytes);
        altered[index] = (altered[index] ?? 0) ^ (1 << bit);
        if (decode(altered).rest === 'nothing') return false;
      }
      return true;
    }),
    { numRuns: 40 },
  );
});

t.test('a wild length is refused on its head alone', async (t) => {
  const head = Buffer.alloc(FRAME_HEAD_SIZE);
  head.writeUInt32BE(FRAME_PAYLOAD_SIZE_MAX + 1);
  head[4] = FRAME_KINDS.client;
  t.match(decodeFrame(head, 0, head.length), { problem: /above the limit/ });
});

t.test('the preamble is what docs/RECORDING.md says', async (t) => {
  const preamble = encodePreamble();
  t.equal(preamble.toString('hex'), '89574549520d0a1a00010000');
  t.equal(FORMAT_VERSION, 1);
  t.equal(checkPreamble(preamble), undefined);
  t.match(checkPreamble(preamble.subarray(0, 5)), { problem: /not a Weir recording/ });
  const newer = Buffer.from(preamble);
  newer[9] = 2;
  t.match(checkPreamble(newer), { problem: /version 2; this Weir reads version 1/ });
});

t.test('a frame has the bytes that docs/RECORDING.md shows', async (t) => {
  const bytes = Buffer.alloc(19);
  encodeFrame(bytes, 0, {
    kind: FRAME_KINDS.client,
    flags: 1,
    at: 0x0102_0304_0506,
    source: Buffer.from('xabcx'),
    start: 1,
    end: 4,
  });
  t.equal(bytes.toString('hex'), '000000034301010203040506616263d8ecc60e');
});
