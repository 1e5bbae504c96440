import { type GatewayUnderTest, operatorToken } from './gateway-under-test.ts';

export const proof = { authorization: `Bearer ${operatorToken}` };
export type Json = Record<string, unknown>;

export async function ask(gateway: GatewayUnderTest, path: string, headers: Record<string, string> = proof) {
  const answer = await fetch(`${gateway.operators}/${path}`, { headers });
  return { status: answer.status, etag: answer.headers.get('etag'), body: (await answer.json()) as Json };
}

export async function send(
  gateway: GatewayUnderTest,
  path: string,
  body: Json,
  headers: Record<string, string> = {},
) {
  const answer = await fetch(`${gateway.operators}/${path}`, {
    method: 'POST',
    headers: { ...proof, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ by: 'anna', ...body }),
  });
  return { status: answer.status, etag: answer.headers.get('etag'), body: (await answer.json()) as Json };
}

/** Decided on what is there now, as an operator does. */
export async function change(gateway: GatewayUnderTest, body: Json) {
  const { etag } = await ask(gateway, 'state');
  return send(gateway, 'changes', body, { 'if-match': etag ?? '' });
}
