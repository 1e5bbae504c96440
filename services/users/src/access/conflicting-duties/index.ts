export { type HeldRole, pairsHeld, type RoleSpan } from './conflicting-duties.ts';
export {
  type Giving,
  requireHeld,
  requireMayGive,
  requireMayTake,
  requireNoConflict,
  requireSound,
  withGrants,
} from './requirements.ts';
export { type HolderRef, holderIdOf, isStrict, lockHolder } from './store.ts';
