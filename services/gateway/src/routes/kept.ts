import { ServiceDescription } from '@marimo/contracts';
import { z } from 'zod';

/** The table as it last was good: used at a start for services of which no instance has answered. */
export const KeptTable = z.strictObject({
  format: z.literal(1),
  generation: z.int().min(0),
  services: z.record(
    z.string(),
    z.array(z.strictObject({ digest: z.string().min(8).max(100), description: ServiceDescription })).max(20),
  ),
});
export type KeptTable = z.infer<typeof KeptTable>;
