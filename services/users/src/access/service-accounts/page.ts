import { Id, Instant } from '@marimo/contracts';
import type { apiKeys, serviceAccounts } from '@marimo/contracts/users';

const parts = [Instant, Id] as const;

export const newestAccounts = {
  parts,
  keyOf: ({ createdAt, accountId }: serviceAccounts.ServiceAccount) => [createdAt, accountId],
} as const;

export const newestKeys = {
  parts,
  keyOf: ({ createdAt, keyId }: apiKeys.ApiKey) => [createdAt, keyId],
} as const;
