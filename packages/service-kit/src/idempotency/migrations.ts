/** The table of kept answers, for every service's schema. */
export const kitMigrations = new URL('../../migrations/', import.meta.url);
