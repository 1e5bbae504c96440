/** `saga` and `saga_step`, for the schema of each service that has sagas. */
export const sagaMigrations = new URL('../migrations/', import.meta.url);
