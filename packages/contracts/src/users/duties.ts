import type { ConflictingDuties } from '../duties.ts';
import * as users from './permissions.ts';

export const duties: readonly ConflictingDuties[] = [
  {
    id: 'define-and-assign-roles',
    title: { en: 'Defining roles and giving them', ru: 'Определение ролей и их назначение' },
    left: [users.changeRoles],
    right: [users.assignRoles],
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
    left: [users.inviteMembers],
    right: [users.assignRoles],
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
    left: [users.changeServiceAccounts],
    right: [users.assignRoles],
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
    left: [users.changeSignInProviders],
    right: [users.assignRoles],
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
    left: [users.changeOrganisation],
    right: [users.assignRoles],
    why: {
      en: 'Strict separation could be switched off for the moment in which a role is given.',
      ru: 'Строгое разделение можно было бы отключить на то время, пока назначается роль.',
    },
    source: 'ISO/IEC 27002:2022, 5.3; COSO 2013, principle 10',
  },
  {
    id: 'review-and-assign-roles',
    title: { en: 'Reviewing access and giving roles', ru: 'Пересмотр доступа и назначение ролей' },
    left: [users.readAccessReports],
    right: [users.assignRoles],
    why: {
      en: 'The periodic review of access would be done by whoever gave it.',
      ru: 'Периодический пересмотр прав проводил бы тот, кто их выдавал.',
    },
    source: 'SOX ITGC, logical access: user access review; ISO/IEC 27002:2022, 5.18',
  },
  {
    id: 'remove-and-erase-members',
    title: {
      en: 'Removing members and erasing their data',
      ru: 'Исключение сотрудников и удаление их данных',
    },
    left: [users.changeMembers],
    right: [users.erasePersonalData],
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
    left: [users.exportPersonalData],
    right: [users.changeServiceAccounts],
    why: {
      en: 'A key that nobody else knows of could carry personal data out for as long as it lives.',
      ru: 'Ключ, о котором больше никто не знает, мог бы выносить персональные данные всё время своей жизни.',
    },
    source: 'GDPR art. 32; ISO/IEC 27002:2022, 5.3 and 8.12',
  },
];
