import type { Deps } from '@marimo/service-kit';
import { repeatableForMs } from './registration.ts';
import { deleteRegistrationsBefore } from './store.ts';

export { registrationRoutes } from './routes.ts';

export async function forgetOldRegistrations({ database, clock }: Deps): Promise<void> {
  const before = new Date(clock().getTime() - repeatableForMs);
  await database.withoutTenant((tx) => deleteRegistrationsBefore(tx, before));
}
