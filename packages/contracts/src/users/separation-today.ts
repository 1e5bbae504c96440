import type { PermissionName } from '../permission.ts';
import type { ConflictingDuties } from './duty-pair.ts';

const posting: readonly PermissionName[] = ['accounting.journal-entry.post'];
const assigning: readonly PermissionName[] = ['users.role.assign'];

/** Pairs made of permissions that exist today. */
export const dutiesOfToday: readonly ConflictingDuties[] = [
  {
    id: 'define-and-assign-roles',
    title: { en: 'Defining roles and giving them', ru: 'Определение ролей и их назначение' },
    left: ['users.role.change'],
    right: assigning,
    why: {
      en: 'Alone one could make a role of any rights and put it into use, and nobody would have looked at it.',
      ru: 'Один человек мог бы собрать роль с любыми правами и ввести её в действие без чьей-либо проверки.',
    },
    source:
      'COBIT 2019 DSS06.03; ISO/IEC 27002:2022, 5.3 (requesting, approving and implementing access rights)',
  },
  {
    id: 'admit-and-authorise-members',
    title: {
      en: 'Admitting members and giving roles',
      ru: 'Приём сотрудников в организацию и назначение ролей',
    },
    left: ['users.member.invite'],
    right: assigning,
    why: {
      en: 'A member who does not exist could be let in and given rights by the same hand.',
      ru: 'Одна рука могла бы завести несуществующего сотрудника и сразу дать ему права.',
    },
    source: 'SOX ITGC, logical access: provisioning; SAP GRC rule set: user maintenance and role assignment',
  },
  {
    id: 'make-and-authorise-service-accounts',
    title: {
      en: 'Making service accounts and giving roles',
      ru: 'Создание служебных учётных записей и назначение ролей',
    },
    left: ['users.service-account.change'],
    right: assigning,
    why: {
      en: 'A program with rights acts under nobody’s name; who makes it should not decide what it may do.',
      ru: 'Программа с правами действует ни от чьего имени; кто её заводит, не должен решать, что ей можно.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5 and AC-2; ISO/IEC 27002:2022, 5.16',
  },
  {
    id: 'connect-providers-and-authorise',
    title: {
      en: 'Connecting sign-in providers and giving roles',
      ru: 'Подключение провайдеров входа и назначение ролей',
    },
    left: ['users.sign-in-provider.change'],
    right: assigning,
    why: {
      en: 'A provider of one’s own vouches for anybody; with roles on top one could act as a person of one’s making.',
      ru: 'Свой провайдер подтвердит кого угодно; вместе с назначением ролей это личность по собственному выбору.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5; COBIT 2019 DSS05.04',
  },
  {
    id: 'set-rules-and-assign-roles',
    title: {
      en: 'Setting the rules of security and giving roles',
      ru: 'Настройка правил безопасности и назначение ролей',
    },
    left: ['users.organisation.change'],
    right: assigning,
    why: {
      en: 'Strict separation could be switched off for the moment in which a role is given.',
      ru: 'Строгое разделение можно было бы отключить на то время, пока назначается роль.',
    },
    source: 'ISO/IEC 27002:2022, 5.3; COSO 2013, principle 10',
  },
  {
    id: 'review-and-assign-roles',
    title: { en: 'Reviewing access and giving roles', ru: 'Пересмотр доступа и назначение ролей' },
    left: ['users.access-report.read'],
    right: assigning,
    why: {
      en: 'The periodic review of access would be done by whoever gave it.',
      ru: 'Периодический пересмотр прав проводил бы тот, кто их выдавал.',
    },
    source: 'SOX ITGC, logical access: user access review; ISO/IEC 27002:2022, 5.18',
  },
  {
    id: 'assign-roles-and-post',
    title: { en: 'Giving roles and posting to the ledger', ru: 'Назначение ролей и проведение записей' },
    left: [...assigning, 'users.role.change'],
    right: [...posting, 'accounting.journal-entry.reverse', 'accounting.payment.approve'],
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
    left: ['users.service-account.change'],
    right: posting,
    why: {
      en: 'Entries could be posted under the name of a program that the same hand holds the key of.',
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
    left: ['users.sign-in-provider.change'],
    right: posting,
    why: {
      en: 'With a provider of one’s own one could sign in as a colleague and post under their name.',
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
    left: ['accounting.account.create', 'accounting.account.change'],
    right: posting,
    why: {
      en: 'An account could be made to hide an entry in, and renamed or archived afterwards.',
      ru: 'Можно завести счёт, чтобы спрятать на нём запись, а потом переименовать его или убрать в архив.',
    },
    source: 'SAP GRC rule set: maintain G/L account and post journal entry; COSO 2013, principle 10',
  },
  {
    id: 'open-journals-and-post',
    title: { en: 'Opening journals and posting to the ledger', ru: 'Открытие журналов и проведение записей' },
    left: ['accounting.journal.create'],
    right: posting,
    why: {
      en: 'A journal is a numbering of its own: a second set of documents could be kept beside the first.',
      ru: 'Журнал — отдельная нумерация: рядом с основными документами можно было бы вести вторые.',
    },
    source: 'SAP GRC rule set: maintain document types and number ranges, and post journal entry',
  },
  {
    id: 'post-and-reverse',
    title: { en: 'Posting entries and reversing them', ru: 'Проведение записей и их сторнирование' },
    left: posting,
    right: ['accounting.journal-entry.reverse'],
    why: {
      en: 'A wrong entry could be made for the day of a report and undone after it.',
      ru: 'Неверную запись можно сделать ко дню отчёта и отменить после него.',
    },
    source: 'PCAOB AS 2401.58-.62 (journal entries and adjustments); COSO 2013, principle 10',
  },
  {
    id: 'verify-audit-and-decide-rights',
    title: {
      en: 'Verifying the audit and deciding over rights',
      ru: 'Проверка журнала аудита и распоряжение правами',
    },
    left: ['workers.audit.read'],
    right: [
      ...assigning,
      'users.role.change',
      'users.service-account.change',
      'users.sign-in-provider.change',
    ],
    why: {
      en: 'Whoever watches the administrators must not be one of them.',
      ru: 'Тот, кто следит за администраторами, не должен быть одним из них.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5 (access control and audit functions) and AU-9(4)',
  },
  {
    id: 'verify-audit-and-post',
    title: {
      en: 'Verifying the audit and posting to the ledger',
      ru: 'Проверка журнала аудита и проведение записей',
    },
    left: ['workers.audit.read'],
    right: [...posting, 'accounting.journal-entry.reverse'],
    why: {
      en: 'Nobody should verify the record of what they did themselves.',
      ru: 'Никто не должен проверять запись о собственных действиях.',
    },
    source: 'IIA Global Internal Audit Standards 2024, 7.1 (independence); ISO/IEC 27002:2022, 5.3',
  },
  {
    id: 'erase-and-verify-audit',
    title: {
      en: 'Erasing personal data and verifying the audit',
      ru: 'Удаление персональных данных и проверка журнала аудита',
    },
    left: ['users.personal-data.erase'],
    right: ['workers.audit.read'],
    why: {
      en: 'Erasure takes names out of the record; whoever does it must not be the one who says that the record is whole.',
      ru: 'Удаление убирает имена из записей; кто его проводит, не должен сам подтверждать их целостность.',
    },
    source: 'GDPR art. 5(2) and 32; NIST SP 800-53 Rev. 5, AU-9(4)',
  },
  {
    id: 'remove-and-erase-members',
    title: {
      en: 'Removing members and erasing their data',
      ru: 'Исключение сотрудников и удаление их данных',
    },
    left: ['users.member.change'],
    right: ['users.personal-data.erase'],
    why: {
      en: 'A colleague could be put out and their traces removed before anybody asks.',
      ru: 'Коллегу можно было бы исключить и стереть его следы прежде, чем кто-нибудь спросит.',
    },
    source: 'ISO/IEC 27002:2022, 5.3 and 5.34; GDPR art. 5(2)',
  },
  {
    id: 'export-data-and-make-keys',
    title: {
      en: 'Exporting personal data and making API keys',
      ru: 'Выгрузка персональных данных и выпуск ключей API',
    },
    left: ['users.personal-data.export'],
    right: ['users.service-account.change'],
    why: {
      en: 'A key that nobody else knows of could carry personal data out for as long as it lives.',
      ru: 'Ключ, о котором больше никто не знает, мог бы выносить персональные данные всё время своей жизни.',
    },
    source: 'GDPR art. 32; ISO/IEC 27002:2022, 5.3 and 8.12',
  },
];
