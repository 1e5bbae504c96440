import { BlockList, isIP } from 'node:net';

/**
 * Where no provider of an organisation is, but what belongs to this machine and to the cloud it runs in: loopback,
 * link-local (the metadata of most clouds), and the metadata of those that have it elsewhere. Private networks are
 * allowed: a company's Keycloak stands there.
 */
const own = new BlockList();
own.addSubnet('0.0.0.0', 8);
own.addSubnet('127.0.0.0', 8);
own.addSubnet('169.254.0.0', 16);
own.addAddress('100.100.100.200'); // Alibaba Cloud
own.addAddress('192.0.0.192'); // Oracle Cloud
own.addAddress('::', 'ipv6');
own.addAddress('::1', 'ipv6');
own.addSubnet('fe80::', 10, 'ipv6');
own.addAddress('fd00:ec2::254', 'ipv6'); // Amazon

/** IPv4 written as IPv6: mapped, and through NAT64. */
const wrapped = /^(?:::ffff:|64:ff9b::)([\da-f.:]+)$/i;

/** Whether this address, as a resolver or an URL writes it, is one we must not be sent to. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 4) return own.check(plain);
  if (family !== 6) return false;
  const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  const inside = wrapped.exec(canonical)?.[1];
  return own.check(canonical, 'ipv6') || (inside !== undefined && own.check(dotted(inside)));
}

/** `7f00:1` is 127.0.0.1. */
function dotted(tail: string): string {
  const [high = '0', low = '0'] = tail.includes(':') ? tail.split(':') : ['0', tail];
  const bits = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
