import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { listAuditRecords, readAudit, verifyAudit } from './audit.ts';
import { listEmails, readEmails } from './emails.ts';
import {
  listNotifications,
  readAllNotifications,
  readNotification,
  readNotifications,
} from './notifications.ts';
import { keptOfPerson } from './people.ts';

export { AuditProblem, AuditRecord, AuditVerification, listAuditRecords, verifyAudit } from './audit.ts';
export { Email, EmailState, listEmails } from './emails.ts';
export { listNotifications, Notification, readAllNotifications, readNotification } from './notifications.ts';
export { KeptOfPerson, keptOfPerson } from './people.ts';

export const endpoints: readonly AnyEndpoint[] = [
  listEmails,
  listAuditRecords,
  verifyAudit,
  listNotifications,
  readNotification,
  readAllNotifications,
  keptOfPerson,
];

export const permissions: readonly Permission[] = [readEmails, readAudit, readNotifications];
