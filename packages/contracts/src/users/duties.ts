import type { ConflictingDuties } from '../duties.ts';
import * as users from './permissions.ts';

export const duties: readonly ConflictingDuties[] = [
  {
    id: 'define-and-assign-roles',
    title: { en: 'Defining and assigning roles', ru: 'Определение ролей и их назначение' },
    left: [users.changeRoles],
    right: [users.assignRoles],
    why: {
      en: 'One person could create a role with any permissions and put it into use without a review.',
      ru: 'Один человек мог бы собрать роль с любыми правами и ввести её в действие без чьей-либо проверки.',
    },
    source:
      'COBIT 2019 DSS06.03; ISO/IEC 27002:2022, 5.3 (requesting, approving and implementing access rights)',
  },
  {
    id: 'admit-and-authorise-members',
    title: {
      en: 'Inviting members and assigning roles',
      ru: 'Приём сотрудников в организацию и назначение ролей',
    },
    left: [users.inviteMembers],
    right: [users.assignRoles],
    why: {
      en: 'One person could add a fictitious member and grant them permissions.',
      ru: 'Один человек мог бы завести несуществующего сотрудника и сразу дать ему права.',
    },
    source: 'SOX ITGC, logical access: provisioning; SAP GRC rule set: user maintenance and role assignment',
  },
  {
    id: 'make-and-authorise-service-accounts',
    title: {
      en: 'Creating service accounts and assigning roles',
      ru: 'Создание служебных учётных записей и назначение ролей',
    },
    left: [users.changeServiceAccounts],
    right: [users.assignRoles],
    why: {
      en: 'A program acts under no person’s name; the person who creates it should not decide its permissions.',
      ru: 'Программа с правами действует ни от чьего имени; кто её заводит, не должен решать, что ей можно.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5 and AC-2; ISO/IEC 27002:2022, 5.16',
  },
  {
    id: 'connect-providers-and-authorise',
    title: {
      en: 'Connecting sign-in providers and assigning roles',
      ru: 'Подключение провайдеров входа и назначение ролей',
    },
    left: [users.changeSignInProviders],
    right: [users.assignRoles],
    why: {
      en: 'A person with their own provider can vouch for any identity; with roles as well, they could act as a fictitious person.',
      ru: 'Свой провайдер подтвердит кого угодно; вместе с назначением ролей это личность по собственному выбору.',
    },
    source: 'NIST SP 800-53 Rev. 5, AC-5; COBIT 2019 DSS05.04',
  },
  {
    id: 'set-rules-and-assign-roles',
    title: {
      en: 'Changing security settings and assigning roles',
      ru: 'Настройка правил безопасности и назначение ролей',
    },
    left: [users.changeOrganisation],
    right: [users.assignRoles],
    why: {
      en: 'Strict separation could be switched off while a role is assigned.',
      ru: 'Строгое разделение можно было бы отключить на то время, пока назначается роль.',
    },
    source: 'ISO/IEC 27002:2022, 5.3; COSO 2013, principle 10',
  },
  {
    id: 'review-and-assign-roles',
    title: { en: 'Reviewing access and assigning roles', ru: 'Пересмотр доступа и назначение ролей' },
    left: [users.readAccessReports],
    right: [users.assignRoles],
    why: {
      en: 'The periodic access review would be done by the person who granted the access.',
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
      en: 'A colleague could be removed and their traces erased before questions are asked.',
      ru: 'Коллегу можно было бы исключить и стереть его следы прежде, чем кто-нибудь спросит.',
    },
    source: 'ISO/IEC 27002:2022, 5.3 and 5.34; GDPR art. 5(2)',
  },
  {
    id: 'export-data-and-make-keys',
    title: {
      en: 'Exporting personal data and creating API keys',
      ru: 'Выгрузка персональных данных и выпуск ключей API',
    },
    left: [users.exportPersonalData],
    right: [users.changeServiceAccounts],
    why: {
      en: 'A key unknown to others could be used to export personal data until it expires.',
      ru: 'Ключ, о котором больше никто не знает, мог бы выносить персональные данные всё время своей жизни.',
    },
    source: 'GDPR art. 32; ISO/IEC 27002:2022, 5.3 and 8.12',
  },
];
