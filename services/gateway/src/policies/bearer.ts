import { Unauthenticated } from '@marimo/contracts';

const bearer = /^Bearer ([\w.~+/-]+=*)$/i;
const longestToken = 8_192;

/** The token of an `Authorization: Bearer …` header; throws `Unauthenticated` where there is none. */
export function bearerOf(authorization: string | undefined): string {
  const token =
    authorization === undefined || authorization.length > longestToken
      ? undefined
      : bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Unauthenticated({});
  return token;
}
