import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { accessReportEndpoints } from './access-reports.ts';
import { getSigningKeys, listRevocations, rotateSigningKeys } from './access-token.ts';
import { apiKeyEndpoints } from './api-keys.ts';
import { deviceSessionEndpoints } from './device-sessions.ts';
import { foundingEndpoints } from './founding.ts';
import { invitationEndpoints } from './invitations.ts';
import { rememberDevice } from './known-devices.ts';
import { mailLink } from './mail-links.ts';
import { memberEndpoints } from './members.ts';
import { organisationEndpoints } from './organisations.ts';
import { peopleEndpoints } from './people.ts';
import * as granted from './permissions.ts';
import { personalDataEndpoints } from './personal-data.ts';
import { roleAssignmentEndpoints } from './role-assignments.ts';
import { roleEndpoints } from './roles.ts';
import { secondFactorEndpoints } from './second-factors.ts';
import { serviceAccountEndpoints } from './service-accounts.ts';
import { issueServiceToken } from './service-tokens.ts';
import { login, logout, me, refresh, register } from './sessions.ts';
import { signInProviderEndpoints } from './sign-in-providers.ts';

export {
  HeldConflict,
  listConflictingDuties,
  RoleHolder,
  reportAccessOf,
  reportConflicts,
  reportWhoCan,
} from './access-reports.ts';
export {
  AccessTokenClaims,
  AuthenticationMethod,
  accessToken,
  getSigningKeys,
  listRevocations,
  Revocation,
  rotateSigningKeys,
  SigningKey,
  stepUpWithinSeconds,
} from './access-token.ts';
export { apiKeyOf, bodyOfApiKey, isApiKey, looksLikeApiKey, prefixOfApiKey } from './api-key-text.ts';
export {
  ApiKey,
  ApiKeyEnded,
  ApiKeyExists,
  ApiKeyRefused,
  ApiKeyWithSecret,
  apiKeyCreated,
  apiKeyLifeDays,
  apiKeyRevoked,
  apiKeyRotated,
  createAccountKey,
  createOwnKey,
  exchangeApiKey,
  exchangeApiKeyOf,
  listAccountKeys,
  listOwnKeys,
  NewApiKey,
  RotateApiKey,
  revokeAccountKey,
  revokeOwnKey,
  rotateAccountKey,
  rotateOwnKey,
  Scope,
  ScopeTooWide,
  ScopeUnknown,
  TokenOfKey,
} from './api-keys.ts';
export {
  DeviceSession,
  listMySessions,
  nameMySession,
  revokeMemberSessions,
  revokeMySession,
  revokeMySessions,
} from './device-sessions.ts';
export type { ConflictingDuties } from './duty-pair.ts';
export {
  organisationRegistered,
  SessionEndReason,
  SignInMethod,
  sessionEnded,
  sessionNamed,
  sessionStarted,
  signInFailed,
} from './events.ts';
export {
  FoundOrganisation,
  foundOrganisation,
  RegisterWithAccount,
  registerWithAccount,
  SignInToFound,
} from './founding.ts';
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
  firstPasswordSet,
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
export { KnownDevice, rememberDevice } from './known-devices.ts';
export { Limited, LimitReached, mostAtATime } from './limits.ts';
export { LinkRefused, LinkToken, MailLink, MailPurpose, mailLink } from './mail-links.ts';
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
  closingAnnounced,
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
  reopeningAnnounced,
  reopenOrganisation,
  reopenWithinDays,
  resumeOrganisation,
  suspendOrganisation,
  switchOrganisation,
  Workplace,
} from './organisations.ts';
export {
  askEmailVerification,
  askPasswordReset,
  ChangeMe,
  CurrentPasswordWrong,
  changeEmail,
  changeMe,
  changePassword,
  EmailInUse,
  EmailVerifiedAlready,
  emailChangeAsked,
  emailChanged,
  emailVerificationAsked,
  emailVerified,
  finishEmailVerification,
  finishPasswordReset,
  PasswordNotSet,
  passwordChanged,
  passwordResetAsked,
  personChanged,
  resetLinkLastsMinutes,
  TooManyMails,
  verificationLinkLastsDays,
} from './people.ts';
export {
  erasedName,
  eraseMe,
  eraseMember,
  exportMemberData,
  exportMyData,
  MemberHasNotLeft,
  OwnEmailDiffers,
  PersonalData,
  personalDataExported,
  personErased,
} from './personal-data.ts';
export {
  EmailTaken,
  OwnProofNeeded,
  PasswordProblem,
  PasswordTooWeak,
  RefreshTokenRefused,
  TooManyAttempts,
  WrongCredentials,
} from './refusals.ts';
export {
  assignRole,
  listRoleAssignments,
  NewRoleAssignment,
  RoleAssignment,
  RoleAssignmentState,
  revokeRole,
  roleAssigned,
  roleAssignmentShortened,
  roleRevoked,
} from './role-assignments.ts';
export {
  DutyConflict,
  GrantsBeyondOwn,
  HolderNotActive,
  PermissionUnknown,
  RoleAlreadyAssigned,
  RoleAssignmentConflict,
  RoleAssignmentOver,
  RoleInUse,
  RoleIsBuiltIn,
  RoleNameTaken,
  RoleUnknown,
  SeparationOfDutiesViolated,
  TooManyRights,
  ValidityOver,
} from './role-refusals.ts';
export {
  changeRole,
  defineRole,
  deleteRole,
  getRole,
  listPermissions,
  listRoles,
  NewRole,
  Role,
  rightsLimits,
  roleChanged,
  roleDefined,
  roleDeleted,
} from './roles.ts';
export {
  identityProved,
  passkeyCopySuspected,
  recoveryCodesRenewed,
  recoveryCodeUsed,
  SecondFactorKind,
  secondFactorAdded,
  secondFactorFailed,
  secondFactorRemoved,
  secondFactorRenamed,
  secondFactorsReset,
} from './second-factor-events.ts';
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
  listSecondFactors,
  loginWithPasskey,
  offerPasskey,
  removeSecondFactor,
  renameSecondFactor,
  renewRecoveryCodes,
  resetSecondFactors,
  SecondFactor,
  SecondFactorAsked,
  SecondStep,
  StepUp,
  stepUp,
} from './second-factors.ts';
export { conflictingDuties, isLive } from './separation-of-duties.ts';
export {
  changeServiceAccount,
  createServiceAccount,
  disableServiceAccount,
  enableServiceAccount,
  getServiceAccount,
  listServiceAccounts,
  NewServiceAccount,
  ServiceAccount,
  ServiceAccountConflict,
  ServiceAccountDisabled,
  serviceAccountChanged,
  serviceAccountCreated,
  serviceAccountDisabled,
  serviceAccountEnabled,
} from './service-accounts.ts';
export { issueServiceToken, ServiceRefused, ServiceTokenClaims, serviceToken } from './service-tokens.ts';
export { login, logout, me, refresh, register } from './sessions.ts';
export {
  beginFederatedSignIn,
  changeSignInProvider,
  checkSignInProvider,
  connectSignInProvider,
  FederatedAccountRefused,
  FederatedRefusalReason,
  FederatedSignInRefused,
  federatedCallback,
  federatedIdentityLinked,
  finishFederatedSignIn,
  getSignInProvider,
  lastAdministratorKept,
  listSignInOptions,
  listSignInProviders,
  NewSignInProvider,
  SignInProvider,
  SignInProviderConflict,
  SignInProviderUnusable,
  signInProviderChanged,
  signInProviderConnected,
} from './sign-in-providers.ts';

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
  rotateSigningKeys,
  listRevocations,
  issueServiceToken,
  mailLink,
  ...peopleEndpoints,
  ...personalDataEndpoints,
  ...deviceSessionEndpoints,
  rememberDevice,
  ...secondFactorEndpoints,
  ...organisationEndpoints,
  ...foundingEndpoints,
  ...memberEndpoints,
  ...invitationEndpoints,
  ...serviceAccountEndpoints,
  ...roleEndpoints,
  ...roleAssignmentEndpoints,
  ...accessReportEndpoints,
  ...apiKeyEndpoints,
  ...signInProviderEndpoints,
];

export const permissions: readonly Permission[] = Object.values(granted);
