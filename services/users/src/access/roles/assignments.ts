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
    isSameMoment(present.validFrom, validFrom ?? present.grantedAt) &&
    isSameMoment(present.validUntil, validUntil ?? null)
  );
}

export function isSameMoment(one: Date | null, other: Date | null): boolean {
  return one?.getTime() === other?.getTime();
}
