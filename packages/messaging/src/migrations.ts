/** For every service's schema: `outbox` and `inbox`. */
export const outboxMigrations = new URL('../migrations/outbox/', import.meta.url);

/** For the schema `messaging`, where the postgres transport keeps its queues. */
export const queueMigrations = new URL('../migrations/queues/', import.meta.url);
