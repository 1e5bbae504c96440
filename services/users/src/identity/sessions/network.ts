import { isIP } from 'node:net';

/**
 * What limits are counted for. Whoever has one IPv6 address has the 2^64 of its network (RFC 6177), so it is the
 * network; an IPv4 address is itself, also where a dual-stack socket writes it as IPv6.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.replace(/^::ffff:(?=[\d.]+$)/i, '').split('%');
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail = ''] = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split('::');
  const [before, behind] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array.from({ length: 8 - (before?.length ?? 0) - (behind?.length ?? 0) }, () => '0');
  return `${[...(before ?? []), ...zeros, ...(behind ?? [])].slice(0, 4).join(':')}::/64`;
}
