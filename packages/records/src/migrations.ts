/** The tables that the records of a service share, for every service's schema. */
export const recordMigrations = new URL('../migrations/', import.meta.url);
