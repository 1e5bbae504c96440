import { runService } from '@marimo/service-kit';
import { users } from './service.ts';

await runService(users);
