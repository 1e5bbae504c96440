import { permission } from '../permission.ts';

export const readJournals = permission('accounting.journal.read', {
  en: 'See the journals',
  ru: 'Видеть журналы',
});
export const createJournals = permission('accounting.journal.create', {
  en: 'Add journals',
  ru: 'Добавлять журналы',
});
export const readEntries = permission('accounting.journal-entry.read', {
  en: 'See journal entries',
  ru: 'Видеть проводки',
});
export const postEntries = permission('accounting.journal-entry.post', {
  en: 'Post and import journal entries',
  ru: 'Проводить и загружать проводки',
});
export const reverseEntries = permission('accounting.journal-entry.reverse', {
  en: 'Reverse journal entries',
  ru: 'Сторнировать проводки',
});
export const readReports = permission('accounting.report.read', {
  en: 'See ledger reports',
  ru: 'Видеть отчёты главной книги',
});
