import { createServer } from 'node:http';
import { newId } from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import { makeSigner } from '@marimo/testing/tokens';

export interface StandInForUsers {
  readonly port: number;
  /** One for each person, good for 15 minutes, which is longer than a benchmark takes. */
  readonly accessTokens: readonly string[];
  close(): void;
}

/** Gives the gateway the keys it verifies with, as `users` does. */
export async function standInForUsers(people: number): Promise<StandInForUsers> {
  const signer = makeSigner();
  const server = createServer((request, reply) => {
    const [path] = (request.url ?? '').split('?');
    const answers: Record<string, unknown> = {
      [accessTokens.getSigningKeys.path]: { keys: [signer.jwk] },
      [accessTokens.listRevocations.path]: { items: [], next: '0' },
    };
    reply.setHeader('content-type', 'application/json');
    reply.end(JSON.stringify(answers[path ?? ''] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    accessTokens: Array.from({ length: people }, () => signer.sign({ sub: newId() })),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
