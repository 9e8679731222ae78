import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { hashForChannelBinding, readSignatureAlgorithm } from '../../../lib/net/certificate.ts';
import {
  createCertificateFolder,
  EC_KEY,
  opensslMissing,
  RSA_KEY,
} from '../../support/certificates.ts';

const skip = opensslMissing() ?? false;
const folder = createCertificateFolder();
t.teardown(() => folder.remove());

function readDer(file: string): Buffer {
  return new X509Certificate(readFileSync(file)).raw;
}

t.test('the hash of the binding is that of the signature (PG-14)', { skip }, async (t) => {
  const pss = ['-sigopt', 'rsa_padding_mode:pss'];
  const cases = [
    { name: 'ec-256', key: EC_KEY, signing: ['-sha256'], hash: 'sha256' },
    { name: 'ec-384', key: EC_KEY, signing: ['-sha384'], hash: 'sha384' },
    { name: 'ec-sha1', key: EC_KEY, signing: ['-sha1'], hash: 'sha256' },
    { name: 'rsa-256', key: RSA_KEY, signing: ['-sha256'], hash: 'sha256' },
    { name: 'rsa-512', key: RSA_KEY, signing: ['-sha512'], hash: 'sha512' },
    { name: 'rsa-sha1', key: RSA_KEY, signing: ['-sha1'], hash: 'sha256' },
    { name: 'rsa-md5', key: RSA_KEY, signing: ['-md5'], hash: 'sha256' },
    { name: 'rsa-pss', key: RSA_KEY, signing: pss, hash: undefined },
    { name: 'ed25519', key: ['ed25519'], signing: [], hash: undefined },
  ];
  for (const { name, hash, ...options } of cases) {
    const der = readDer(folder.make(name, options).cert);
    const expected = hash === undefined ? undefined : createHash(hash).update(der).digest('hex');
    t.equal(hashForChannelBinding(der)?.toString('hex'), expected, name);
  }
});

t.test('a certificate cut anywhere is read as unknown, never past its end', { skip }, async (t) => {
  const der = readDer(folder.make('cut').cert);
  t.equal(readSignatureAlgorithm(der), '2a8648ce3d040302');
  for (let size = 0; size < der.length; size += 1) {
    if (readSignatureAlgorithm(der.subarray(0, size)) !== undefined) t.fail(`cut at ${size}`);
  }
  t.equal(readSignatureAlgorithm(Buffer.from('30ffffffffff', 'hex')), undefined);
  t.equal(readSignatureAlgorithm(Buffer.from('3080', 'hex')), undefined);
});
