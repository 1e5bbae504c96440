/** The table that every service with mirrors has beside them. */
export const mirrorMigrations = new URL('../migrations/', import.meta.url);
