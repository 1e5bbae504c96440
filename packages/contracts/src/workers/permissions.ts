import { permission } from '../permission.ts';

export const readAudit = permission('workers.audit.read', {
  en: 'Read and verify the audit',
  ru: 'Читать и проверять журнал аудита',
});
export const readEmails = permission('workers.email.read', {
  en: 'See sent mail',
  ru: 'Видеть отправленные письма',
});
export const readNotifications = permission('workers.notification.read', {
  en: 'Read own notifications',
  ru: 'Читать свои уведомления',
});
