import type { Api } from './api.ts';
import { compressFor } from './compression/index.ts';
import { overHttp1 } from './front/index.ts';
import { demandMethod } from './methods.ts';
import type { Passage } from './passage.ts';
import type { ReadAddress } from './policies/address.ts';
import { demandTls } from './policies/transport.ts';
import { readTarget } from './target.ts';

export interface HandlerParts {
  readonly api: Api;
  /** The gateway's own. */
  readonly pages: (passage: Passage) => void;
  readonly readAddress: ReadAddress;
}

/** Where a request goes: to a service, or to a page of the gateway's own. */
export function createHandler({
  api,
  pages,
  readAddress,
}: HandlerParts): (passage: Passage) => Promise<void> {
  const ownPages = overHttp1((passage) => {
    demandTls(passage, readAddress);
    compressFor(passage);
    pages(passage);
  });
  return async (passage) => {
    demandTls(passage, readAddress);
    demandMethod(passage.req.method);
    const target = readTarget(passage.req.url ?? '');
    if (target.service === undefined) ownPages(passage);
    else await api(passage, target.service, target);
  };
}
