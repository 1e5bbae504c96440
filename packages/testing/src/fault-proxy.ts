import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/**
 * What happens to the bytes between a client and its server.
 *
 * - `blackhole`: connections open, nothing passes.
 * - `drop replies`: requests arrive and take effect, their answers are lost: the richest source of doubled effects.
 * - `drop requests`: the server hears nothing.
 * - `reset`: connections end at once with a TCP reset.
 * - `refuse`: nobody listens.
 * - `cutAfterBytes`: a reset after so many bytes of replies, counted from now, such as half a frame.
 */
export type Fault =
  | 'none'
  | 'blackhole'
  | 'drop replies'
  | 'drop requests'
  | 'reset'
  | 'refuse'
  | { readonly delayMs: number }
  | { readonly cutAfterBytes: number };

export interface FaultProxy {
  /** `host:port` to give to the client in place of the target's. */
  readonly address: string;
  readonly port: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  set(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy that breaks the network on command. `target` is `host:port`. */
export async function faultProxy({ target }: { target: string }): Promise<FaultProxy> {
  const [targetHost, targetPort] = splitAddress(target);
  const links = new Set<Link>();
  let fault: Fault = 'none';
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    if (fault === 'reset') return client.resetAndDestroy();
    const upstream = tcpConnect({ host: targetHost, port: targetPort, allowHalfOpen: true });
    const link = new Link(client, upstream, () => fault);
    links.add(link);
    client.once('close', () => {
      links.delete(link);
      upstream.destroy();
    });
  });
  await listen(server, 0);
  const { port } = server.address() as { port: number };

  const cutAll = () => {
    for (const link of links) link.reset();
  };
  return {
    address: `127.0.0.1:${port}`,
    port,
    get accepted() {
      return accepted;
    },
    get open() {
      return links.size;
    },
    async set(next) {
      fault = next;
      for (const link of links) link.faultChanged();
      if (next === 'reset' || next === 'refuse') cutAll();
      if (next === 'refuse') await unlisten(server);
      else if (!server.listening) await listen(server, port);
    },
    async close() {
      cutAll();
      await unlisten(server);
    },
  };
}

/** One client's connection and the one made for it to the target. */
class Link {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #fault: () => Fault;
  #replyBytes = 0;
  #hasHole = false;

  constructor(client: Socket, upstream: Socket, fault: () => Fault) {
    this.#client = client;
    this.#upstream = upstream;
    this.#fault = fault;
    this.#pass(client, upstream, 'drop requests', new Line(fault));
    this.#pass(upstream, client, 'drop replies', new Line(fault));
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream.destroy();
  }

  /** A stream that lost bytes must not go on: no network joins the two ends of a hole. */
  faultChanged(): void {
    this.#replyBytes = 0;
    if (this.#hasHole) this.reset();
  }

  #pass(from: Socket, to: Socket, dropped: Fault, line: Line): void {
    from.on('data', (chunk: Buffer) => this.#carry(chunk, from, to, dropped, line));
    from.on('end', () => line.send(() => to.end()));
    from.on('error', () => this.reset());
    from.on('close', () => {
      // After an orderly end the other side may still hold bytes that it has to send.
      if (!from.readableEnded) line.send(() => to.destroy());
    });
  }

  #carry(chunk: Buffer, from: Socket, to: Socket, dropped: Fault, line: Line): void {
    const fault = this.#fault();
    if (fault === 'blackhole' || fault === dropped) {
      this.#hasHole = true;
      return;
    }
    if (from === this.#upstream && typeof fault === 'object' && 'cutAfterBytes' in fault) {
      const left = fault.cutAfterBytes - this.#replyBytes;
      this.#replyBytes += chunk.length;
      // The reset waits for the write: sent at once it would discard what is still in the buffer.
      if (chunk.length >= left) return void to.write(chunk.subarray(0, left), () => this.reset());
    }
    line.send(() => {
      if (to.writable && !to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  }
}

/** One direction of a link: what is sent arrives in order, also while the delay changes. */
class Line {
  readonly #fault: () => Fault;
  readonly #queue: { readonly dueAt: number; readonly arrive: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(fault: () => Fault) {
    this.#fault = fault;
  }

  send(arrive: () => void): void {
    const fault = this.#fault();
    const delayMs = typeof fault === 'object' && 'delayMs' in fault ? fault.delayMs : 0;
    this.#queue.push({ dueAt: performance.now() + delayMs, arrive });
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), waitMs);
        return;
      }
      this.#queue.shift();
      next.arrive();
    }
  }
}

function splitAddress(address: string): [string, number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function unlisten(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
