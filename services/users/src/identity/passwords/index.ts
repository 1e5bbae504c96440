export { createHasher, newPasswordKey, type PasswordHasher } from './hasher.ts';
export { passwordKey } from './store.ts';
export { demandStrongPassword } from './strength.ts';
