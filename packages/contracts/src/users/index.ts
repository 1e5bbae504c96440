import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { getSigningKeys, listRevocations } from './access-token.ts';
import { deviceSessionEndpoints } from './device-sessions.ts';
import { invitationEndpoints } from './invitations.ts';
import { memberEndpoints } from './members.ts';
import { organisationEndpoints } from './organisations.ts';
import * as granted from './permissions.ts';
import { secondFactorEndpoints } from './second-factors.ts';
import { login, logout, me, refresh, register } from './sessions.ts';

export {
  AccessTokenClaims,
  AuthenticationMethod,
  accessToken,
  getSigningKeys,
  listRevocations,
  Revocation,
  SigningKey,
  stepUpWithinSeconds,
} from './access-token.ts';
export {
  DeviceSession,
  listMySessions,
  nameMySession,
  revokeMemberSessions,
  revokeMySession,
  revokeMySessions,
} from './device-sessions.ts';
export {
  organisationRegistered,
  SessionEndReason,
  SignInMethod,
  sessionEnded,
  sessionNamed,
  sessionStarted,
} from './events.ts';
export {
  Email,
  Language,
  Line,
  Login,
  Me,
  Organisation,
  OrganisationState,
  Password,
  RegisterOrganisation,
  SignedIn,
  TimeZone,
  User,
  WithRefreshToken,
} from './identity.ts';
export {
  AcceptBy,
  AcceptInvitation,
  AlreadyMember,
  acceptInvitation,
  acceptInvitationSignedIn,
  Invitation,
  InvitationForAnother,
  InvitationNotOpen,
  InvitationState,
  InvitationUnusable,
  InviteMember,
  invitationAccepted,
  invitationLastsDays,
  invitationRevoked,
  inviteMember,
  listInvitations,
  lookAtInvitation,
  memberInvited,
  resendInvitation,
  revokeInvitation,
  SignInToAccept,
  TooManyInvitations,
} from './invitations.ts';
export {
  getMember,
  listMembers,
  Member,
  MemberHasLeft,
  MemberState,
  memberJoined,
  memberLeft,
  memberReinstated,
  memberRemoved,
  memberSuspended,
  OwnMembership,
  reinstateMember,
  removeMember,
  suspendMember,
} from './members.ts';
export {
  ChangeOrganisation,
  changeOrganisation,
  closeOrganisation,
  LastAdministrator,
  leaveOrganisation,
  listWorkplaces,
  NoActiveMembership,
  OrganisationNameDiffers,
  OrganisationNotInState,
  OrganisationSettings,
  organisation,
  organisationChanged,
  organisationClosed,
  organisationClosing,
  organisationReopened,
  organisationResumed,
  organisationSuspended,
  reopenOrganisation,
  reopenWithinDays,
  resumeOrganisation,
  suspendOrganisation,
  switchOrganisation,
  Workplace,
} from './organisations.ts';
export {
  EmailTaken,
  PasswordProblem,
  PasswordTooWeak,
  RefreshTokenRefused,
  TooManyAttempts,
  WrongCredentials,
} from './refusals.ts';
export {
  LastFactorDemanded,
  MemberElsewhere,
  PasskeyKnown,
  PasskeyNotAdded,
  ProofRefused,
  SecondFactorMissing,
  SecondFactorNeeded,
  SignInChallengeRefused,
  TooManySecondFactors,
} from './second-factor-refusals.ts';
export {
  addPasskey,
  challengeLastsSeconds,
  challengePasskey,
  challengeStepUp,
  confirmTotp,
  enrolTotp,
  FinishLogin,
  finishLogin,
  identityProved,
  listSecondFactors,
  loginWithPasskey,
  offerPasskey,
  passkeyCopySuspected,
  recoveryCodesRenewed,
  recoveryCodeUsed,
  removeSecondFactor,
  renameSecondFactor,
  renewRecoveryCodes,
  resetSecondFactors,
  SecondFactor,
  SecondFactorAsked,
  SecondFactorKind,
  SecondStep,
  StepUp,
  secondFactorAdded,
  secondFactorFailed,
  secondFactorRemoved,
  secondFactorRenamed,
  secondFactorsReset,
  stepUp,
} from './second-factors.ts';
export { login, logout, me, refresh, register } from './sessions.ts';

export {
  PasskeyAssertion,
  PasskeyCreated,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
} from './webauthn.ts';

export const endpoints: readonly AnyEndpoint[] = [
  register,
  login,
  refresh,
  logout,
  me,
  getSigningKeys,
  listRevocations,
  ...deviceSessionEndpoints,
  ...secondFactorEndpoints,
  ...organisationEndpoints,
  ...memberEndpoints,
  ...invitationEndpoints,
];

export const permissions: readonly Permission[] = Object.values(granted);
