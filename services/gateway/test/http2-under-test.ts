import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Certificate } from '../src/front/index.ts';
import { testCertificate } from './certificates.ts';
import { closeAll, gatewayTo, type Options, type Upstream, upstream } from './gateway-under-test.ts';
import { codeOf, type FrameClient, frameClient, frameTypes } from './http2-frames.ts';

const pair = testCertificate();
const certificate: Certificate = { pair: () => pair, onChange() {}, close() {} };
const sessions: ClientHttp2Session[] = [];
const frameClients: FrameClient[] = [];

/** Closes everything a test has started; for `afterEach`. */
export async function closeHttp2(): Promise<void> {
  for (const session of sessions.splice(0)) session.destroy();
  for (const client of frameClients.splice(0)) client.end();
  await closeAll();
}

export async function gatewayWith(stock: Upstream, options: Options = {}) {
  const gateway = await gatewayTo([stock.instance], { certificate, ...options });
  return {
    ...gateway,
    async session(): Promise<ClientHttp2Session> {
      const session = connect(gateway.url, { rejectUnauthorized: false });
      session.on('error', () => {});
      sessions.push(session);
      await new Promise((resolve) => session.once('connect', resolve));
      return session;
    },
    async frames(settings?: Buffer): Promise<FrameClient> {
      const client = await frameClient(gateway.port, settings);
      frameClients.push(client);
      return client;
    },
  };
}

export const answering = () => upstream((req, res) => req.resume().on('end', () => res.end('answer')));

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly code: number;
}

export function answerTo(stream: ClientHttp2Stream): Promise<Answered> {
  return new Promise((resolve) => {
    let headers: Record<string, unknown> = {};
    let text = '';
    stream.on('error', () => {});
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('data', (part) => {
      text += part;
    });
    stream.on('close', () =>
      resolve({ status: Number(headers[':status']), headers, text, code: stream.rstCode }),
    );
  });
}

/** A service that answers nothing, and knows what it still believes in. */
export async function holding() {
  let running = 0;
  const stock = await upstream((_, res) => {
    running += 1;
    res.on('close', () => {
      running -= 1;
    });
  });
  return { stock, running: () => running };
}

export const open = { ':path': '/api/v1/stock/open' };
export const ask = (session: ClientHttp2Session, headers: OutgoingHttpHeaders = open) =>
  answerTo(session.request(headers));
export const resetsOf = ({ received }: FrameClient) =>
  received.filter(({ type }) => type === frameTypes.reset).map((one) => [one.stream, codeOf(one)]);
export const goawayOf = ({ received }: FrameClient) => {
  const last = received.filter(({ type }) => type === frameTypes.goaway).at(-1);
  return last && codeOf(last);
};

/**
 * So many streams are refused, or the connection is. Its end can overtake the GOAWAY that says why: closing a socket
 * with unread bytes resets it, and the client's system then drops what it has not handed on.
 */
export const isRefused = (client: FrameClient, streams = 1) =>
  resetsOf(client).length >= streams || goawayOf(client) !== undefined || client.closed();
