import { runService } from '@marimo/service-kit';
import { gateway } from './service.ts';

await runService(gateway);
