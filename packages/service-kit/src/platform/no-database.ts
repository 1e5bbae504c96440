import type { Database } from '@marimo/postgres';

/** For a service that declares no migrations; using it is a mistake in the service. */
export function noDatabase(service: string): Database {
  const refuse = async (): Promise<never> => {
    throw new Error(`${service} has no database; give its definition a folder of migrations`);
  };
  return { schema: service, inTenant: refuse, withoutTenant: refuse, ping: refuse, close: async () => {} };
}
