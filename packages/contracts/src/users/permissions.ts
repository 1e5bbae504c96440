import { permission } from '../permission.ts';

export const changeOrganisation = permission('users.organisation.change', {
  en: "Change the organisation's settings",
  ru: 'Менять настройки организации',
});
export const suspendOrganisation = permission('users.organisation.suspend', {
  en: 'Suspend and resume the organisation',
  ru: 'Приостанавливать и возобновлять работу организации',
});
export const closeOrganisation = permission('users.organisation.close', {
  en: 'Close and reopen the organisation',
  ru: 'Закрывать организацию и отменять закрытие',
});
export const readMembers = permission('users.member.read', {
  en: 'See the members',
  ru: 'Видеть сотрудников',
});
export const inviteMembers = permission('users.member.invite', {
  en: 'Invite members',
  ru: 'Приглашать сотрудников',
});
export const changeMembers = permission('users.member.change', {
  en: 'Suspend, reinstate and remove members, and end their sessions',
  ru: 'Приостанавливать, восстанавливать и исключать сотрудников, завершать их сеансы',
});
export const readRoles = permission('users.role.read', {
  en: 'See the roles and who holds them',
  ru: 'Видеть роли и тех, кому они назначены',
});
export const changeRoles = permission('users.role.change', {
  en: "Define the organisation's own roles",
  ru: 'Определять собственные роли организации',
});
export const assignRoles = permission('users.role.assign', {
  en: 'Assign and revoke roles',
  ru: 'Назначать и снимать роли',
});
export const readAccessReports = permission('users.access-report.read', {
  en: 'See current and past permissions and conflicting duties',
  ru: 'Видеть действующие и прошлые права и несовместимые обязанности',
});
export const readServiceAccounts = permission('users.service-account.read', {
  en: 'See service accounts and their API keys',
  ru: 'Видеть служебные учётные записи и их ключи API',
});
export const changeServiceAccounts = permission('users.service-account.change', {
  en: 'Create and disable service accounts and their API keys',
  ru: 'Создавать и отключать служебные учётные записи и их ключи API',
});
export const readSignInProviders = permission('users.sign-in-provider.read', {
  en: 'See the sign-in providers',
  ru: 'Видеть провайдеров входа',
});
export const changeSignInProviders = permission('users.sign-in-provider.change', {
  en: 'Connect and update sign-in providers',
  ru: 'Подключать и менять провайдеров входа',
});
export const exportPersonalData = permission('users.personal-data.export', {
  en: "Export a member's personal data",
  ru: 'Выгружать персональные данные сотрудника',
});
export const erasePersonalData = permission('users.personal-data.erase', {
  en: "Erase a former member's personal data",
  ru: 'Удалять персональные данные бывшего сотрудника',
});
