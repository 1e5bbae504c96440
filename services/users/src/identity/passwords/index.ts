export { createHasher, newPasswordKey, type PasswordHasher } from './hasher.ts';
export { getPasswordKey } from './store.ts';
export { requireStrongPassword } from './strength.ts';
