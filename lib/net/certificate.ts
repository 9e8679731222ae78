/**
 * What channel binding needs from a certificate (PG-14). Node 20 does not tell by which algorithm
 * a certificate was signed, so the one field is read from its DER here. It validates nothing.
 */
import { createHash } from 'node:crypto';

/**
 * Signature algorithm (hex of the OID's DER content) to the hash that RFC 5929 wants: the one of
 * the signature, SHA-256 in place of MD5 and SHA-1. Ed25519, Ed448 and RSA-PSS are left out on
 * purpose: clients disagree on their hash, so PLUS must not be offered for them (PG-14).
 */
const BINDING_HASHES: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010104', 'sha256'], // md5WithRSAEncryption
  ['2a864886f70d010105', 'sha256'], // sha1WithRSAEncryption
  ['2a864886f70d01010e', 'sha224'], // sha224WithRSAEncryption
  ['2a864886f70d01010b', 'sha256'], // sha256WithRSAEncryption
  ['2a864886f70d01010c', 'sha384'], // sha384WithRSAEncryption
  ['2a864886f70d01010d', 'sha512'], // sha512WithRSAEncryption
  ['2a8648ce3d0401', 'sha256'], // ecdsa-with-SHA1
  ['2a8648ce3d040301', 'sha224'], // ecdsa-with-SHA224
  ['2a8648ce3d040302', 'sha256'], // ecdsa-with-SHA256
  ['2a8648ce3d040303', 'sha384'], // ecdsa-with-SHA384
  ['2a8648ce3d040304', 'sha512'], // ecdsa-with-SHA512
]);

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;

/** tls-server-end-point (RFC 5929) of a certificate in DER; undefined where its hash is not settled. */
export function hashForChannelBinding(der: Buffer): Buffer | undefined {
  const oid = readSignatureAlgorithm(der);
  const hash = oid === undefined ? undefined : BINDING_HASHES.get(oid);
  return hash === undefined ? undefined : createHash(hash).update(der).digest();
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, ... }, ... } */
export function readSignatureAlgorithm(der: Buffer): string | undefined {
  const certificate = readElement(der, 0, SEQUENCE);
  const signed = certificate && readElement(der, certificate.start, SEQUENCE);
  const algorithm = signed && readElement(der, signed.end, SEQUENCE);
  const oid = algorithm && readElement(der, algorithm.start, OBJECT_IDENTIFIER);
  return oid && der.toString('hex', oid.start, oid.end);
}

/** Where the content of the element at `offset` starts and ends; undefined if it is not of `tag` or is cut. */
function readElement(
  der: Buffer,
  offset: number,
  tag: number,
): { readonly start: number; readonly end: number } | undefined {
  if (der[offset] !== tag) return undefined;
  const first = der[offset + 1];
  if (first === undefined) return undefined;
  let start = offset + 2;
  let size = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // Four bytes of length are more than any certificate; zero (indefinite) is not DER.
    if (count === 0 || count > 4 || start + count > der.length) return undefined;
    size = der.readUIntBE(start, count);
    start += count;
  }
  const end = start + size;
  return end <= der.length ? { start, end } : undefined;
}
