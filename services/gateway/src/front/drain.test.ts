import { closeAll, gatewayTo, raw, until, upstream } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

const get = 'GET /api/v1/stock/open HTTP/1.1\r\nhost: erp.example\r\n\r\n';

describe('a gateway that shuts down', () => {
  it('closes a connection with the reply that was in progress', async () => {
    let finish = () => {};
    const stock = await upstream((_, res) => {
      finish = () => void res.end('well');
    });
    const gateway = await gatewayTo([stock.instance]);
    const answer = raw(gateway.port, get, { toTheEnd: true });
    await until(() => stock.requests.length === 1);
    gateway.drain();
    finish();
    const { text, ended } = await answer;
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
    expect([text.endsWith('well'), ended]).toEqual([true, 'closed']);
  });

  it('closes the connection with every later reply', async () => {
    const stock = await upstream((_, res) => res.end('well'));
    const gateway = await gatewayTo([stock.instance]);
    gateway.drain();
    for (const request of [
      get,
      get.replace('stock/open', 'nothing'),
      get.replace('/api/v1/stock/open', '/'),
    ]) {
      const { text, ended } = await raw(gateway.port, request, { toTheEnd: true });
      expect(text.match(/\r\nconnection: close\r\n/gi)).toHaveLength(1);
      expect(ended).toBe('closed');
    }
  });
});
