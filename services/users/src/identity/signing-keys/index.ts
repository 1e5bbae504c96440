export { type Bearer, type IssuedToken, issueAccessToken, type TokenSigner } from './access-token.ts';
export { createKeyRing, type KeyRing } from './key-ring.ts';
export { signingKeyRoutes } from './routes.ts';
export { rotatingKeys } from './schedule.ts';
export { createSeal, deriveKey, type Seal } from './seal.ts';
