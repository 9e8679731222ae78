/**
 * Answers of a vector database as the benches of stores use them: made here, as Qdrant forms them, with
 * vectors of 768 dimensions and payloads of some text. No database computed them.
 */

import { encodeBytes, encodeString, encodeVarint } from '../protocols/wire/protobuf.ts';

const DIMENSIONS = 768;

interface Point {
  readonly email: string;
  readonly title: string;
  readonly text: string;
  readonly vector: Float32Array;
}

function pointsOf(count: number): Point[] {
  return Array.from({ length: count }, (_, index) => ({
    email: `user${index}@example.com`,
    title: `Entry ${index} "quoted"`,
    text: `Call me at m${index}@mail.example or pay with 4111 1111 1111 1111. ${'Lorem ipsum dolor sit amet. '.repeat(8)}`,
    vector: Float32Array.from({ length: DIMENSIONS }, (__, k) => Math.sin(index * 31 + k)),
  }));
}

/** `POST /collections/{c}/points/query` with payloads and vectors. */
export function jsonAnswer(count: number): Buffer {
  const hits = pointsOf(count).map(({ vector, ...payload }, id) => ({
    id,
    version: 3,
    score: 0.5,
    payload: { ...payload, tags: ['a', 'b'], year: 1999 },
    // A store writes the shortest text of a 32-bit number.
    vector: Array.from(vector, (one) => Number(one.toPrecision(8))),
  }));
  return Buffer.from(JSON.stringify({ result: { points: hits }, status: 'ok', time: 0.001 }));
}

/** qdrant.QueryResponse: 1 ScoredPoint { 1 id, 2 payload, 3 score, 6 vectors }, 2 time (vector.md 2.1). */
export function protoAnswer(count: number): Buffer {
  const entry = (key: string, text: string): Buffer =>
    encodeBytes(2, Buffer.concat([encodeString(1, key), encodeBytes(2, encodeString(4, text))]));
  const hits = pointsOf(count).map(({ email, title, text, vector }, id) =>
    encodeBytes(
      1,
      Buffer.concat([
        encodeBytes(1, encodeVarint(1, id)),
        entry('email', email),
        entry('title', title),
        entry('text', text),
        encodeBytes(6, encodeBytes(1, encodeBytes(101, encodeBytes(1, bytesOf(vector))))),
      ]),
    ),
  );
  return Buffer.concat(hits);
}

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}
