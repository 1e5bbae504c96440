// Loaded first in each process of `npm start -- --processes`: when the starter is killed, so are we, and our ports are
// free for the next start. What was acknowledged is in the database; the rest waits in the outbox.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();
