import { permission } from '../permission.ts';
import { jobs } from './jobs.ts';

export const readAudit = permission('workers.audit.read', {
  en: 'Read and verify the audit',
  ru: 'Читать и проверять журнал аудита',
});
export const configureAudit = permission('workers.audit.configure', {
  en: 'Say how long the audit is kept',
  ru: 'Задавать срок хранения журнала аудита',
});
export const manageJobs = jobs.manage;
export const readEmails = permission('workers.email.read', {
  en: 'See sent mail',
  ru: 'Видеть отправленные письма',
});
export const readNotifications = permission('workers.notification.read', {
  en: 'Read own notifications',
  ru: 'Читать свои уведомления',
});
