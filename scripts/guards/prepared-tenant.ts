import { newId } from '@marimo/contracts';
import type { ApiClient } from '../start/api-client.ts';

/**
 * Gives an organisation one of everything that has an id, each with the marker in its texts. Answers what no table of
 * tenants tells by the name of the parameter.
 */
export async function prepareTenant(owner: ApiClient, marker: string): Promise<Record<string, string>> {
  const made = async (path: string, body?: object) => {
    const answer = await owner.post(path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  for (const code of ['cash', 'capital']) {
    await made('/api/v1/accounting/accounts', { code, name: `${marker} ${code}`, type: 'asset' });
  }
  await made('/api/v1/accounting/journals', { code: 'ZEBRA', name: marker });
  const amount = { amount: '10.00', currency: 'EUR' };
  await made('/api/v1/accounting/journal-entries', {
    entryId: newId(),
    postingDate: '2026-01-15',
    description: marker,
    lines: [
      { accountCode: 'cash', side: 'debit', amount },
      { accountCode: 'capital', side: 'credit', amount },
    ],
  });
  const accountId = newId();
  await made('/api/v1/users/service-accounts', { accountId, name: marker });
  await made('/api/v1/users/role-assignments', {
    assignmentId: newId(),
    serviceAccountId: accountId,
    role: 'accountant',
  });
  await made(`/api/v1/users/service-accounts/${accountId}/keys`, {
    keyId: newId(),
    name: marker,
    scopes: ['accounting.*'],
  });
  await made('/api/v1/users/roles', { name: 'zebra', title: marker, grants: ['accounting.report.read'] });
  await made('/api/v1/users/invitations', { email: 'zebra@example.com', roles: ['agent'], language: 'en' });
  await made('/api/v1/users/sign-in-providers', {
    providerId: newId(),
    name: marker,
    issuer: 'https://idp.example',
    clientId: 'marimo',
    clientSecret: 'a secret of this test',
  });
  await made('/api/v1/workers/audit-retention/apply');
  const { factorId } = await made('/api/v1/users/second-factors/totp', { name: marker });
  return { factorId, name: 'zebra' };
}
