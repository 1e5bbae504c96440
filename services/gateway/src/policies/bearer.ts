import { Unauthenticated } from '@marimo/contracts';

const scheme = 'bearer ';
const longest = 8_192;

/** The token of an `Authorization: Bearer …` header; throws `Unauthenticated` where there is none. */
export function bearerOf(authorization = ''): string {
  const isBearer = authorization.slice(0, scheme.length).toLowerCase() === scheme;
  const isOne = isBearer && authorization.length <= longest && !authorization.includes(' ', scheme.length);
  if (!isOne) throw new Unauthenticated({});
  return authorization.slice(scheme.length); // whether it is a token at all, the verifier knows
}
