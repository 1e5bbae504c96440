import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Account {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** How far the clock of a request may be off, as at AWS. */
const tolerated = 15 * 60_000;

/** The three headers without which a signature would bind nothing. */
const alwaysSigned = ['host', 'x-amz-content-sha256', 'x-amz-date'];

/**
 * Checks the signature of a request (AWS Signature Version 4, in the Authorization header); undefined when it is good, else
 * the error code that S3 gives. The hash of the body is what was signed: whoever reads the body compares it.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signatureError(req: IncomingMessage, account: Account, now: Date): string | undefined {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(.+), SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      req.headers.authorization ?? '',
    );
  if (given === null) return 'AccessDenied';
  const [, accessKey, scope = '', names = '', signature = ''] = given;
  if (accessKey !== account.accessKey) return 'InvalidAccessKeyId';

  const time = headerOf(req, 'x-amz-date');
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(at - now.getTime()) <= tolerated)) return 'RequestTimeTooSkewed';
  const day = time.slice(0, 8);
  if (scope !== `${day}/${account.region}/s3/aws4_request`) return 'AuthorizationHeaderMalformed';
  const signed = names.split(';');
  if (!alwaysSigned.every((name) => signed.includes(name))) return 'AccessDenied';

  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonicalRequest(req, signed))].join('\n');
  const key = [day, account.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (above, part) => hmac(above, part),
    `AWS4${account.secretKey}`,
  );
  const expected = hmac(key, text);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}

function canonicalRequest(req: IncomingMessage, signed: readonly string[]): string {
  const [path = '', query = ''] = (req.url ?? '').split('?');
  const headers = signed.map((name) => `${name}:${headerOf(req, name).trim().replaceAll(/ +/g, ' ')}\n`);
  return [
    req.method,
    path,
    canonicalQuery(query),
    headers.join(''),
    signed.join(';'),
    headerOf(req, 'x-amz-content-sha256'),
  ].join('\n');
}

function canonicalQuery(query: string): string {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('='));
  return pairs
    .map(([name = '', value = '']) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
}

/** As AWS writes it, whatever the client wrote. */
function encoded(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function headerOf({ headers }: IncomingMessage, name: string): string {
  return String(headers[name] ?? '');
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
