import type { Duplex } from 'node:stream';
import { type CloseReason, closeCodes, closeFrame, FrameFollower } from './websocket-frames.ts';

/** For the frame that is passing to end, and for both sides to answer our goodbye. */
const farewellMs = 1_000;

/** An upgraded connection: the client's socket and the service's, and the bytes between them. */
export class Tunnel {
  readonly #client: Duplex;
  readonly #service: Duplex;
  readonly #toClient = new FrameFollower();
  readonly #toService = new FrameFollower();
  #closing = false;

  /** @param idleMs after so long without a byte either way it is closed */
  constructor(client: Duplex, service: Duplex, idleMs: number) {
    this.#client = client;
    this.#service = service;
    // The library ends one side when the other ends; when one just vanishes, it leaves the other standing.
    client.once('close', () => service.destroy());
    service.once('close', () => client.destroy());
    if (client.destroyed) service.destroy();
    if (service.destroyed) client.destroy();
    service.on('data', (chunk: Buffer) => this.#toClient.follow(chunk));
    client.on('data', (chunk: Buffer) => this.#toService.follow(chunk));
    let idle = setTimeout(() => this.close('idle'), idleMs);
    const alive = () => {
      idle = idle.refresh();
    };
    service.on('data', alive);
    client.on('data', alive).once('close', () => clearTimeout(idle));
  }

  /** Says goodbye to both sides, each at the end of the frame it is being sent, and cuts them off a second later. */
  close(reason: CloseReason): void {
    if (this.#closing) return;
    this.#closing = true;
    const code = closeCodes[reason];
    sayGoodbye(this.#service, this.#client, this.#toClient, closeFrame(code, false));
    sayGoodbye(this.#client, this.#service, this.#toService, closeFrame(code, true));
    const cut = setTimeout(() => this.#client.destroy(), farewellMs);
    this.#client.once('close', () => clearTimeout(cut));
  }
}

/** Stops what flows from one side to the other where a frame ends, and puts the goodbye there. */
function sayGoodbye(from: Duplex, to: Duplex, passing: FrameFollower, goodbye: Buffer): void {
  const speak = () => {
    if (!passing.isBetweenFrames) return;
    from.off('data', speak);
    from.unpipe(to);
    from.resume(); // its own goodbye, and whatever it still says, goes nowhere
    to.end(goodbye);
  };
  from.on('data', speak); // after the pipe, which has passed the bytes on by then
  speak();
}
