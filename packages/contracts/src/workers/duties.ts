import * as accounting from '../accounting/permissions.ts';
import type { ConflictingDuties } from '../duties.ts';
import * as users from '../users/permissions.ts';
import * as workers from './permissions.ts';

export const duties: readonly ConflictingDuties[] = [
  {
    id: 'verify-audit-and-decide-rights',
    title: {
      en: 'Verifying the audit and managing permissions',
      ru: 'Проверка журнала аудита и управление правами',
    },
    left: [workers.readAudit],
    right: [users.assignRoles, users.changeRoles, users.changeServiceAccounts, users.changeSignInProviders],
    why: {
      en: 'The person who audits administrators must not be an administrator.',
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
    left: [workers.readAudit],
    right: [accounting.postEntries, accounting.reverseEntries],
    why: {
      en: 'No person should verify the record of their own actions.',
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
    left: [users.erasePersonalData],
    right: [workers.readAudit],
    why: {
      en: 'Erasure removes names from the record; the person who does it must not confirm the integrity of the record.',
      ru: 'Удаление убирает имена из записей; кто его проводит, не должен сам подтверждать их целостность.',
    },
    source: 'GDPR art. 5(2) and 32; NIST SP 800-53 Rev. 5, AU-9(4)',
  },
];
