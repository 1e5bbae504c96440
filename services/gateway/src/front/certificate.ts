import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Log } from '@marimo/observability';
import { SettingsInvalid } from '@marimo/service-kit';

/** As PEM text; the certificate's issuers follow it. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  pair(): CertificatePair;
  /** Told of each new pair. */
  onChange(listener: (pair: CertificatePair) => void): void;
  close(): void;
}

export interface CertificateOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly production: boolean;
  readonly log: Log;
  /** How often the files are looked at; 10 s unless told. */
  readonly lookEveryMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * The certificate and key in two files, and each pair that replaces them: certificates are renewed every few weeks,
 * and connections must outlive that. Throws `SettingsInvalid` for what cannot be served. The files are read again and
 * not watched, because a mounted secret changes by a link that no watch sees.
 */
export function readCertificate(options: CertificateOptions): Certificate {
  const { log, lookEveryMs = 10_000 } = options;
  const listeners: ((pair: CertificatePair) => void)[] = [];
  let pair = read(options);
  let refused: string | undefined;

  function look(): void {
    try {
      const fresh = read(options);
      refused = undefined;
      if (fresh.cert === pair.cert && fresh.key === pair.key) return;
      pair = fresh;
      for (const listener of listeners) listener(fresh);
      log.info('serving a new certificate', { validUntil: new X509Certificate(fresh.cert).validTo });
    } catch (error) {
      // Perhaps one of two files is written and the other not yet. DescribeResult once, not every ten seconds.
      const message = error instanceof Error ? error.message : String(error);
      if (message !== refused)
        log.error('the new certificate cannot be served; the old one stays', { error });
      refused = message;
    }
  }
  const timer = setInterval(look, lookEveryMs).unref();
  return {
    pair: () => pair,
    onChange: (listener) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}

function read({ certFile, keyFile, production, now = Date.now }: CertificateOptions): CertificatePair {
  const cert = textOf('TLS_CERT_FILE', certFile);
  const key = textOf('TLS_KEY_FILE', keyFile);
  if (production && (statSync(keyFile).mode & 0o007) !== 0) {
    throw refused('TLS_KEY_FILE', `everybody on this machine can read ${keyFile}; chmod o-rwx it`);
  }
  const certificate = certificateIn(cert, certFile);
  const validFrom = Date.parse(certificate.validFrom);
  const validUntil = Date.parse(certificate.validTo);
  if (now() < validFrom) throw refused('TLS_CERT_FILE', `it is not valid before ${certificate.validFrom}`);
  if (now() > validUntil) throw refused('TLS_CERT_FILE', `it has expired on ${certificate.validTo}`);
  if (!certificate.checkPrivateKey(keyIn(key, keyFile))) {
    throw refused('TLS_KEY_FILE', `${keyFile} is not the key of ${certFile}`);
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw refused('TLS_CERT_FILE', `it cannot be served: ${(error as Error).message}`);
  }
  return { cert, key };
}

function textOf(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(name, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function certificateIn(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw refused('TLS_CERT_FILE', `${file} holds no certificate in PEM`);
  }
}

function keyIn(text: string, file: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw refused('TLS_KEY_FILE', `${file} holds no private key in PEM, or one under a passphrase`);
  }
}

/** Never with the file's content: it may be the key. */
function refused(name: string, what: string): SettingsInvalid {
  return new SettingsInvalid([`${name}: ${what}`]);
}
