import { defineService, runService } from '../src/index.ts';
import { notes } from './notes-service.ts';

/** A `main.ts` as every service has one; there is no `users` to ask for keys. */
const nobody = () => Promise.reject(new Error('nobody'));
await runService(defineService({ ...notes, verifier: () => ({ verify: nobody, verifyService: nobody }) }));
