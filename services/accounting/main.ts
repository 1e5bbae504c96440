import { runService } from '@marimo/service-kit';
import { accounting } from './service.ts';

await runService(accounting);
