import { defineService, runService } from '../src/index.ts';
import { notes } from './notes-service.ts';

/** A `main.ts` as every service has one; there is no `users` to ask for keys. */
await runService(
  defineService({ ...notes, verifier: () => ({ verify: () => Promise.reject(new Error('nobody')) }) }),
);
