/**
 * One constant for each type, in text and in binary, that a client decodes without complaint (GW-8)
 * and that says nothing of the value. The forms are those of reference part A5; a test hands each
 * one back to a server's input function. Character types are in value-texts.ts.
 */

import type { ResultColumn } from '../../protocols/contract.ts';
import { ELEMENT_OF_ARRAY, TYPE } from './value-types.ts';

type TypedColumn = Pick<ResultColumn, 'type' | 'typeModifier' | 'format'>;

interface Constant {
  readonly text: string;
  /** Null: no constant is known to be accepted; NULL is sent. */
  readonly binary: Buffer | null;
}

function zeros(text: string, size: number): Constant {
  return { text, binary: Buffer.alloc(size) };
}

function hex(text: string, binary: string): Constant {
  return { text, binary: Buffer.from(binary.replaceAll(' ', ''), 'hex') };
}

function sameBytes(text: string): Constant {
  return { text, binary: Buffer.from(text) };
}

/** Dates in ISO DateStyle, intervals in postgres IntervalStyle: the defaults, which every parser reads. */
const CONSTANTS: ReadonlyMap<number, Constant> = new Map<number, Constant>([
  [TYPE.bool, zeros('f', 1)],
  [TYPE.int2, zeros('0', 2)],
  [TYPE.int4, zeros('0', 4)],
  [TYPE.int8, zeros('0', 8)],
  [TYPE.oid, zeros('0', 4)],
  [TYPE.xid, zeros('0', 4)],
  [TYPE.cid, zeros('0', 4)],
  [TYPE.xid8, zeros('0', 8)],
  [TYPE.regproc, zeros('0', 4)],
  [TYPE.regprocedure, zeros('0', 4)],
  [TYPE.regoper, zeros('0', 4)],
  [TYPE.regoperator, zeros('0', 4)],
  [TYPE.regclass, zeros('0', 4)],
  [TYPE.regtype, zeros('0', 4)],
  [TYPE.regconfig, zeros('0', 4)],
  [TYPE.regdictionary, zeros('0', 4)],
  [TYPE.regnamespace, zeros('0', 4)],
  [TYPE.regrole, zeros('0', 4)],
  [TYPE.regcollation, zeros('0', 4)],
  [TYPE.float4, zeros('0', 4)],
  [TYPE.float8, zeros('0', 8)],
  // The sign and separators are of lc_monetary; this is what most clients and servers use.
  [TYPE.money, zeros('$0.00', 8)],
  [TYPE.lsn, zeros('0/0', 8)],
  [TYPE.tid, zeros('(0,0)', 6)],
  [TYPE.bytea, zeros('\\x', 0)],
  [TYPE.date, zeros('2000-01-01', 4)],
  [TYPE.time, zeros('00:00:00', 8)],
  [TYPE.timetz, zeros('00:00:00+00', 12)],
  [TYPE.timestamp, zeros('2000-01-01 00:00:00', 8)],
  [TYPE.timestamptz, zeros('2000-01-01 00:00:00+00', 8)],
  [TYPE.interval, zeros('00:00:00', 16)],
  [TYPE.uuid, zeros('00000000-0000-0000-0000-000000000000', 16)],
  [TYPE.json, sameBytes('"***"')],
  [TYPE.jsonb, { text: '"***"', binary: Buffer.from('\u0001"***"') }],
  [TYPE.jsonpath, { text: '$', binary: Buffer.from('\u0001$') }],
  [TYPE.xml, sameBytes('<x/>')],
  [TYPE.inet, hex('0.0.0.0', '02 20 00 04 00000000')],
  [TYPE.cidr, hex('0.0.0.0/32', '02 20 01 04 00000000')],
  [TYPE.macaddr, zeros('00:00:00:00:00:00', 6)],
  [TYPE.macaddr8, zeros('00:00:00:00:00:00:00:00', 8)],
  [TYPE.varbit, zeros('', 4)],
  [TYPE.point, zeros('(0,0)', 16)],
  [TYPE.lseg, zeros('[(0,0),(0,0)]', 32)],
  [TYPE.box, zeros('(0,0),(0,0)', 32)],
  [TYPE.circle, zeros('<(0,0),0>', 24)],
  // A line of zeros is refused: A and B must not both be 0.
  [TYPE.line, hex('{1,0,0}', '3ff0000000000000 0000000000000000 0000000000000000')],
  [TYPE.path, hex('((0,0))', `01 00000001 ${'00'.repeat(16)}`)],
  [TYPE.polygon, hex('((0,0))', `00000001 ${'00'.repeat(16)}`)],
  [TYPE.tsvector, zeros('', 4)],
  [TYPE.tsquery, { text: '', binary: null }],
  // Vectors must have one dimension, so they get one element.
  [TYPE.int2vector, hex('0', '00000001 00000000 00000015 00000001 00000000 00000002 0000')],
  [TYPE.oidvector, hex('0', '00000001 00000000 0000001a 00000001 00000000 00000004 00000000')],
  [TYPE.snapshot, hex('1:1:', '00000000 0000000000000001 0000000000000001')],
  [TYPE.txidSnapshot, hex('1:1:', '00000000 0000000000000001 0000000000000001')],
]);

const EMPTY_RANGE = hex('empty', '01');
const EMPTY_MULTIRANGE = hex('{}', '00000000');

const RANGES: ReadonlySet<number> = new Set<number>([
  TYPE.int4range,
  TYPE.numrange,
  TYPE.tsrange,
  TYPE.tstzrange,
  TYPE.daterange,
  TYPE.int8range,
]);

const MULTIRANGES: ReadonlySet<number> = new Set<number>([
  TYPE.int4multirange,
  TYPE.nummultirange,
  TYPE.tsmultirange,
  TYPE.tstzmultirange,
  TYPE.datemultirange,
  TYPE.int8multirange,
]);

/** Undefined: not a type of this table. Null: NULL is the only safe value. */
export function constantFor(column: TypedColumn): Buffer | null | undefined {
  const constant = findConstant(column);
  if (constant === undefined) return undefined;
  return column.format === 'text' ? Buffer.from(constant.text) : constant.binary;
}

function findConstant({ type, typeModifier }: TypedColumn): Constant | undefined {
  if (type === TYPE.numeric) return zeroNumeric(typeModifier);
  if (type === TYPE.bit) return zeroBits(typeModifier);
  if (RANGES.has(type)) return EMPTY_RANGE;
  if (MULTIRANGES.has(type)) return EMPTY_MULTIRANGE;
  const element = ELEMENT_OF_ARRAY.get(type);
  if (element !== undefined) return emptyArray(element);
  return CONSTANTS.get(type);
}

/**
 * numeric(p, s): the modifier minus 4 has the scale in its low 11 bits, signed since PostgreSQL 15;
 * older ones have 0 to 1000 there, which reads the same. Digits after the point are shown as declared.
 */
function zeroNumeric(typeModifier: number): Constant {
  const scale = typeModifier < 4 ? 0 : (((typeModifier - 4) & 0x7ff) ^ 0x400) - 0x400;
  const shown = Math.max(scale, 0);
  const binary = Buffer.alloc(8);
  binary.writeInt16BE(shown, 6);
  return { text: shown === 0 ? '0' : `0.${'0'.repeat(shown)}`, binary };
}

/** Longer ones become NULL: a constant of 10 MB in every row is no service to anyone. Bits. */
const BIT_LENGTH_MAX = 65_536;

/** bit(n): the modifier is n itself; without one the length is in the value, and 1 is as good as any. */
function zeroBits(typeModifier: number): Constant | undefined {
  const length = typeModifier > 0 ? typeModifier : 1;
  if (length > BIT_LENGTH_MAX) return undefined;
  const binary = Buffer.alloc(4 + Math.ceil(length / 8));
  binary.writeInt32BE(length, 0);
  return { text: '0'.repeat(length), binary };
}

/** No dimensions, no nulls, the element's oid. */
function emptyArray(element: number): Constant {
  const binary = Buffer.alloc(12);
  binary.writeUInt32BE(element, 8);
  return { text: '{}', binary };
}
