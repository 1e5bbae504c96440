import { runService } from '@marimo/service-kit';
import { workers } from './service.ts';

await runService(workers);
