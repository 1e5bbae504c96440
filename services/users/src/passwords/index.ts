export { createHasher, newPasswordKey, type PasswordHasher } from './hasher.ts';
export { demandStrongPassword } from './strength.ts';
