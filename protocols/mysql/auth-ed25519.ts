/**
 * MariaDB's ed25519 plugin: an Ed25519 signature (RFC 8032) over the nonce, where the seed is the password
 * itself, of any length. `node:crypto` takes seeds of 32 bytes only, so the points are computed here.
 *
 * This is not constant in time, as BigInt is not: it signs with the gateway's own password for the
 * upstream only, once in a sign-in, over nonces that the upstream chooses.
 */

import { createHash } from 'node:crypto';

export const ED25519 = 'client_ed25519';

const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960n;

/** Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const ZERO: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE: Point = { x: BASE_X, y: BASE_Y, z: 1n, t: mod(BASE_X * BASE_Y) };

/** 64 bytes; empty for an empty password, as the plugin has none then. */
export function signEd25519(password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const { scalar, prefix } = expand(password);
  const publicKey = encodePoint(multiply(BASE, scalar));
  const r = readLittle(sha512(prefix, nonce)) % L;
  const commitment = encodePoint(multiply(BASE, r));
  const challenge = readLittle(sha512(commitment, publicKey, nonce)) % L;
  return Buffer.concat([commitment, writeLittle((r + challenge * scalar) % L)]);
}

/** What the server keeps of the password. */
export function ed25519PublicKey(password: string): Buffer {
  return encodePoint(multiply(BASE, expand(password).scalar));
}

function expand(password: string): { scalar: bigint; prefix: Buffer } {
  const hash = sha512(Buffer.from(password));
  const lower = Buffer.from(hash.subarray(0, 32));
  lower[0] = (lower[0] ?? 0) & 0xf8;
  lower[31] = ((lower[31] ?? 0) & 0x7f) | 0x40;
  return { scalar: readLittle(lower), prefix: hash.subarray(32) };
}

function multiply(point: Point, scalar: bigint): Point {
  let sum = ZERO;
  let double = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) sum = add(sum, double);
    double = add(double, double);
  }
  return sum;
}

/** RFC 8032, 5.1.4; complete, so it also doubles. */
function add(p: Point, q: Point): Point {
  const a = mod((p.y - p.x) * (q.y - q.x));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(mod(2n * D * p.t) * q.t);
  const d = mod(2n * p.z * q.z);
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function encodePoint({ x, y, z }: Point): Buffer {
  const inverse = power(z, P - 2n);
  const bytes = writeLittle(mod(y * inverse));
  const sign = Number(mod(x * inverse) & 1n);
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function readLittle(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}

function writeLittle(value: bigint): Buffer {
  return Buffer.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').toReversed());
}

function sha512(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
