import type { ConflictingDuties } from '../duties.ts';
import * as users from '../users/permissions.ts';
import * as accounts from './accounts.ts';
import * as accounting from './permissions.ts';

export const duties: readonly ConflictingDuties[] = [
  {
    id: 'assign-roles-and-post',
    title: { en: 'Giving roles and posting to the ledger', ru: 'Назначение ролей и проведение записей' },
    left: [users.assignRoles, users.changeRoles],
    right: [accounting.postEntries, accounting.reverseEntries],
    why: {
      en: 'Who decides over rights can take any duty of the books at any time and give it back unnoticed.',
      ru: 'Кто распоряжается правами, может на время взять себе любую учётную обязанность и незаметно вернуть.',
    },
    source: 'SOX ITGC, logical access: administrators have no business duties; NIST SP 800-53 Rev. 5, AC-5',
  },
  {
    id: 'make-service-accounts-and-post',
    title: {
      en: 'Making service accounts and posting to the ledger',
      ru: 'Создание служебных учётных записей и проведение записей',
    },
    left: [users.changeServiceAccounts],
    right: [accounting.postEntries],
    why: {
      en: 'Entries could be posted under the name of a program whose key the same person holds.',
      ru: 'Записи можно было бы проводить от имени программы, ключ которой в той же руке.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5; SAP GRC rule set: user maintenance and journal entry',
  },
  {
    id: 'connect-providers-and-post',
    title: {
      en: 'Connecting sign-in providers and posting to the ledger',
      ru: 'Подключение провайдеров входа и проведение записей',
    },
    left: [users.changeSignInProviders],
    right: [accounting.postEntries],
    why: {
      en: 'A person with their own provider could sign in as a colleague and post under their name.',
      ru: 'Со своим провайдером можно войти под именем коллеги и проводить записи от его лица.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5; COBIT 2019 DSS05.04',
  },
  {
    id: 'maintain-chart-and-post',
    title: {
      en: 'Keeping the chart of accounts and posting to the ledger',
      ru: 'Ведение плана счетов и проведение записей',
    },
    left: [accounts.record.permissions.create, accounts.record.permissions.change],
    right: [accounting.postEntries],
    why: {
      en: 'An account could be created to hide an entry, and renamed or archived afterwards.',
      ru: 'Можно завести счёт, чтобы спрятать на нём запись, а потом переименовать его или убрать в архив.',
    },
    source: 'SAP GRC rule set: maintain G/L account and post journal entry; COSO 2013, principle 10',
  },
  {
    id: 'open-journals-and-post',
    title: { en: 'Opening journals and posting to the ledger', ru: 'Открытие журналов и проведение записей' },
    left: [accounting.createJournals],
    right: [accounting.postEntries],
    why: {
      en: 'A journal is a numbering of its own: a second set of documents could be kept beside the first.',
      ru: 'Журнал — отдельная нумерация: рядом с основными документами можно было бы вести вторые.',
    },
    source: 'SAP GRC rule set: maintain document types and number ranges, and post journal entry',
  },
  {
    id: 'post-and-reverse',
    title: { en: 'Posting entries and reversing them', ru: 'Проведение записей и их сторнирование' },
    left: [accounting.postEntries],
    right: [accounting.reverseEntries],
    why: {
      en: 'A wrong entry could be made for the day of a report and undone after it.',
      ru: 'Неверную запись можно сделать ко дню отчёта и отменить после него.',
    },
    source: 'PCAOB AS 2401.58-.62 (journal entries and adjustments); COSO 2013, principle 10',
  },
];
