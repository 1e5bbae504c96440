/** The tables of files, for every service's schema. */
export const fileMigrations = new URL('../migrations/', import.meta.url);
