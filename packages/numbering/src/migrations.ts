/** The tables that the number series of a service share, for every service's schema. */
export const numberingMigrations = new URL('../migrations/', import.meta.url);
