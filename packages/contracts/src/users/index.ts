export {
  AccessTokenClaims,
  accessToken,
  getSigningKeys,
  listRevocations,
  Revocation,
  SigningKey,
} from './access-token.ts';
