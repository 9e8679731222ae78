/** Certificates for TLS tests, made with the openssl program; tests skip where it is missing. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** `subjectAltName` of the certificate, for example `DNS:localhost,IP:127.0.0.1`. */
  readonly altName?: string;
  /** The key, as `openssl req -newkey` names it, with its options. */
  readonly key?: readonly string[];
  /** Further arguments: `-sha384`, `-sigopt`, ... */
  readonly signing?: readonly string[];
}

export const EC_KEY = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const RSA_KEY = ['rsa:2048'];

/** Undefined: it is there. Else the reason for `t.test(name, {skip: reason})`. */
export function opensslMissing(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the openssl program is not installed';
  }
}

export interface CertificateFolder {
  readonly path: string;
  /** A self-signed certificate, two days long. */
  make(name: string, options?: CertificateOptions): CertificateFiles;
  remove(): void;
}

export function createCertificateFolder(): CertificateFolder {
  const path = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  return {
    path,
    make: (name, { altName = 'DNS:localhost,IP:127.0.0.1', key = EC_KEY, signing = [] } = {}) => {
      const files = { cert: join(path, `${name}.pem`), key: join(path, `${name}.key`) };
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${altName}`];
      const output = ['-keyout', files.key, '-out', files.cert, '-days', '2', '-nodes'];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', ...key, ...signing, ...subject, ...output],
        {
          stdio: 'pipe',
        },
      );
      return files;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
