import { jobs } from '@marimo/contracts/workers';
import { defineService, type ServiceDefinition } from '@marimo/service-kit';
import { auditConsumer, auditRoutes, forgetOldRecords, retentionRoutes } from './src/audit/index.ts';
import { emailConsumer, emailParts, emailRoutes, emailSender, emailSettings } from './src/emails/index.ts';
import { keptOfPeopleRoutes } from './src/kept-of-people/index.ts';
import { notificationConsumer, notificationRoutes } from './src/notifications/index.ts';

const workersByName = {
  email: { consumers: [emailConsumer], background: [emailSender] },
  audit: { consumers: [auditConsumer], background: [] },
  notification: { consumers: [notificationConsumer], background: [] },
};

type WorkerName = keyof typeof workersByName;
const allWorkers = Object.keys(workersByName) as readonly WorkerName[];

/** Each worker can run in a process of its own (`main-audit.ts`, …); what they have written is served by all. */
export function workersService(names: readonly WorkerName[] = allWorkers): ServiceDefinition {
  const chosen = names.map((name) => workersByName[name]);
  return defineService({
    name: 'workers',
    migrations: new URL('./migrations/', import.meta.url),
    settings: emailSettings,
    parts: emailParts,
    routes: [emailRoutes, auditRoutes, retentionRoutes, notificationRoutes, keptOfPeopleRoutes],
    jobs: { contract: jobs, kinds: [forgetOldRecords] },
    consumers: chosen.flatMap(({ consumers }) => consumers),
    background: chosen.flatMap(({ background }) => background),
  });
}

export const workers = workersService();
