import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export interface ClientAddress {
  readonly address: string;
  readonly proto: 'http' | 'https';
}

export type ReadAddress = (req: IncomingMessage) => ClientAddress;

/**
 * Finds the client's address. A header counts only as far as trusted proxies wrote it: from the
 * right, the first address that is not one of theirs.
 */
export function addressReader(trustedProxies: readonly string[]): ReadAddress {
  const trusted = new BlockList();
  for (const proxy of trustedProxies) trust(trusted, proxy);
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  return ({ socket, headers }) => {
    let address = plain(socket.remoteAddress ?? '');
    const proto = isEncrypted(socket) ? 'https' : 'http';
    if (trustedProxies.length === 0 || !isTrusted(address)) return { address, proto };
    const hops = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => plain(hop.trim()));
    while (hops.length > 0 && isTrusted(address)) {
      const hop = hops.pop() as string;
      if (isIP(hop) === 0) break;
      address = hop;
    }
    return { address, proto: headers['x-forwarded-proto'] === 'https' ? 'https' : proto };
  };
}

/** The key of an address's limits. A client with one IPv6 address has all 2^64 of its network. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) while (groups.length + behind.length < 8) groups.push('0');
  return `${[...groups, ...behind]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function isEncrypted(socket: IncomingMessage['socket'] & { encrypted?: boolean }): boolean {
  return socket.encrypted === true;
}

/** A dual-stack socket shows IPv4 as ::ffff:1.2.3.4. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function trust(list: BlockList, proxy: string): void {
  const [address = '', prefix] = proxy.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}
