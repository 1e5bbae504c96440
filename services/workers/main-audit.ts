import { runService } from '@marimo/service-kit';
import { workersService } from './service.ts';

await runService(workersService(['audit']));
