import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isOwnAddress } from './addresses.ts';
import { outsideFetch, type Resolve } from './ssrf-guard.ts';

describe('addresses that no provider may have', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '169.254.169.254',
    '100.100.100.200',
    '::1',
    '::',
    '[::1]',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:7f00:1',
    '64:ff9b::7f00:1',
  ])('include %s', (address) => expect(isOwnAddress(address)).toBe(true));

  it.each(['10.0.0.5', '192.168.1.2', '8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8', 'id.example.com'])(
    'do not include %s',
    (address) => expect(isOwnAddress(address)).toBe(false),
  );
});

describe('requests to a provider', () => {
  let server: Server;
  let port: number;
  let asked = 0;
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked += 1;
      if (req.url === '/elsewhere') res.writeHead(302, { location: '/' });
      res.end('{}');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const options = { method: 'GET', headers: {}, redirect: 'manual', body: undefined } as const;
  const resolving =
    (...answers: string[][]): Resolve =>
    (_, __, done) =>
      done(
        null,
        (answers.length > 1 ? answers.shift() : answers[0])?.map((address) => ({ address, family: 4 })) ?? [],
      );

  it('never reach this machine in production, by whatever name or address', async () => {
    const before = asked;
    const direct = outsideFetch(true);
    for (const host of ['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost']) {
      await expect(direct(`http://${host}:${port}/`, options)).rejects.toThrow();
    }
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1']]) {
      const guarded = outsideFetch(true, resolving(addresses));
      await expect(guarded(`http://id.example.com:${port}/`, options)).rejects.toThrow(
        'belongs to this machine',
      );
    }
    expect(asked).toBe(before);
  });

  it('connect to the address that was checked: a name that resolves differently later leads nowhere', async () => {
    let looked = 0;
    const rebinding: Resolve = (_, __, done) => {
      looked += 1;
      done(null, [{ address: looked === 1 ? '127.0.0.1' : '93.184.216.34', family: 4 }]);
    };
    await expect(outsideFetch(true, rebinding)(`http://id.example.com:${port}/`, options)).rejects.toThrow(
      'belongs to this machine',
    );
    expect(looked).toBe(1);
  });

  it('reach it in development, where tests run a provider, and follow no redirect', async () => {
    const free = outsideFetch(false);
    expect((await free(`http://127.0.0.1:${port}/`, options)).status).toBe(200);
    expect((await free(`http://127.0.0.1:${port}/elsewhere`, options)).status).toBe(302);
  });
});
