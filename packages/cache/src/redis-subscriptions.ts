import { RedisLink, type RedisLinkOptions } from './redis-link.ts';
import type { Topics } from './topics.ts';

const prefix = 'marimo:';
const heartbeatMs = 2_000;

/** Brings what others publish to the listeners of this process, over a connection of its own. */
export class RedisSubscriptions {
  readonly #topics: Topics;
  readonly #link: RedisLink;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: RedisLinkOptions, topics: Topics) {
    this.#topics = topics;
    this.#link = new RedisLink(options);
    this.#link.onConnected(async (redis) => {
      if (topics.channels.length > 0) await redis.subscribe(...topics.channels.map(nameInRedis));
    });
    this.#link.onMessage((channel, message) => topics.emit(channel.slice(prefix.length), message));
    // Who only listens would never notice that the other side is gone.
    this.#heartbeat = setInterval(() => void this.#link.ask((redis) => redis.ping()), heartbeatMs);
  }

  async add(channel: string, listener: (message: string) => void): Promise<() => void> {
    const remove = this.#topics.add(channel, listener);
    await this.#link.ask((redis) => redis.subscribe(nameInRedis(channel)));
    return () => {
      remove();
      if (this.#topics.channels.includes(channel)) return;
      void this.#link.ask((redis) => redis.unsubscribe(nameInRedis(channel)));
    };
  }

  close(): Promise<void> {
    clearInterval(this.#heartbeat);
    return this.#link.close();
  }
}

export const nameInRedis = (channel: string) => `${prefix}${channel}`;
