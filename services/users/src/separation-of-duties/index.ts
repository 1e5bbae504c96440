export {
  type Giving,
  requireHeld,
  requireMayGive,
  requireMayTake,
  requireNoConflict,
  requireSound,
  withGrants,
} from './demands.ts';
export { type HeldRole, pairsHeld, type RoleSpan } from './separation-of-duties.ts';
export { type HolderRef, holderIdOf, isStrict, lockHolder } from './store.ts';
