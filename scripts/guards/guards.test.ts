// All guards that need the whole platform run on one, in this order. `-t 'forged tokens'` runs one of them.
import './on-the-platform/access-matrix.ts';
import './on-the-platform/foreign-tenant.ts';
import './on-the-platform/forged-tokens.ts';
import './on-the-platform/forged-service-tokens.ts';
import './on-the-platform/secrets-kept.ts';
// The last two withdraw the keys that the others sign with, and leave much behind.
import './on-the-platform/hostile-input.ts';
import './on-the-platform/by-command.ts';

jest.setTimeout(300_000);
