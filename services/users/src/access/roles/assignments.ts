import type { roleAssignments } from '@marimo/contracts/users';

/** Whether the request asks for just what is there; without a beginning it had asked for "at once". */
export function isRepetition(
  present: roleAssignments.RoleAssignment,
  asked: roleAssignments.NewRoleAssignment,
): boolean {
  const { memberId, serviceAccountId, role, validFrom, validUntil } = asked;
  return (
    present.memberId === (memberId ?? null) &&
    present.serviceAccountId === (serviceAccountId ?? null) &&
    present.role === role &&
    present.validFrom === (validFrom?.toISOString() ?? present.grantedAt) &&
    present.validUntil === (validUntil?.toISOString() ?? null)
  );
}
