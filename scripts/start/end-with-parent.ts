// Loaded first in each process of `npm start -- --processes`: when the starter is gone, however it went, we stop too.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
