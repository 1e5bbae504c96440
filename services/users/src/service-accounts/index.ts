export { endKeysOf, eraseKeysOf, keysOfPerson, voidKeyTokensOf } from './keys.ts';
export { type KeyOwner, type RightsInForce, rightsOfAccount } from './store.ts';
